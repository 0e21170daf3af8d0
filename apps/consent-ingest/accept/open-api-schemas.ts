import { interactionSchema } from '@delivery/analytics/schema';
import { consentEventSchema, type JsonSchema } from '@delivery/consent/schema';
import { deliveredLineSchema } from '@delivery/exports/schema';

/**
 * The schemas that events are validated by, and that delivered files keep to, as components of the OpenAPI document
 * (3.1, which takes JSON Schema as it is). What the API answers are the documents that exports deliver.
 */
export const openApiSchemas: Readonly<Record<string, object>> = {
  ConsentEvent: overRest(consentEventSchema),
  ...components(consentEventSchema['$defs'], ''),
  StoredEvent: storedEvent(),
  ...components(deliveredLineSchema.$defs, 'Stored', ['event']),
  Interaction: overRest(interactionSchema),
  ...components(interactionSchema['$defs'], ''),
};

/** Over REST the organization is that of the API key. */
function overRest({ $schema: _, $id: __, $defs: ___, required, ...schema }: JsonSchema): object {
  const names = Array.isArray(required) ? required.filter((name) => name !== 'organization_id') : [];
  return withReferences({ ...schema, ...(names.length > 0 && { required: names }) }, '');
}

/** Exports deliver confirmed events under GDPR; here all can be read. */
function storedEvent(): object {
  const { event } = deliveredLineSchema.$defs;
  const status = { enum: ['confirmed', 'pending_approval'] };
  return withReferences(
    { ...event, properties: { ...event.properties, status, regulation: { type: 'string' } } },
    'Stored',
  );
}

function components(definitions: unknown, prefix: string, left: readonly string[] = []): Record<string, object> {
  const named = Object.entries(Object(definitions)).filter(([name]) => !left.includes(name));
  return Object.fromEntries(
    named.map(([name, schema]) => [nameOf(name, prefix), withReferences(Object(schema), prefix)]),
  );
}

function nameOf(name: string, prefix: string): string {
  return prefix + name.charAt(0).toUpperCase() + name.slice(1);
}

function withReferences(schema: object, prefix: string): object {
  const text = JSON.stringify(schema).replace(
    /"#\/\$defs\/(\w+)"/g,
    (_, name: string) => `"#/components/schemas/${nameOf(name, prefix)}"`,
  );
  return Object(JSON.parse(text));
}
