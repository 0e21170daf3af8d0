import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';

export type JsonSchema = { [keyword: string]: unknown };
type Property = JsonSchema & { $ref?: string };

/**
 * The JSON Schema (2020-12) of a decorated class and all classes it nests. It accepts what class-validator accepts with
 * `whitelist` and `forbidNonWhitelisted`: unknown fields are refused, an optional field may be `null`.
 */
export function jsonSchemaOf(root: new () => object, id: string, title: string): JsonSchema {
  const all = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage,
    refPointerPrefix: '#/$defs/',
  });
  const definitions: Record<string, JsonSchema> = {};
  collect(root.name, all as Record<string, JsonSchema>, definitions);
  const { [root.name]: main, ...others } = definitions;
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: id, title, ...main, $defs: others };
}

function collect(name: string, all: Record<string, JsonSchema>, into: Record<string, JsonSchema>): void {
  if (into[name]) return;
  const schema = all[name];
  if (!schema) throw new Error(`no validated class ${name}`);
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const properties: Record<string, JsonSchema> = {};
  into[name] = { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
  for (const [key, property] of Object.entries(schema['properties'] as Record<string, Property>)) {
    properties[key] = required.includes(key) ? property : nullable(property);
    for (const ref of refsIn(property)) collect(ref, all, into);
  }
}

function nullable(property: Property): JsonSchema {
  if (property.$ref !== undefined || property['oneOf'] !== undefined) return { anyOf: [property, { type: 'null' }] };
  const { enum: values, type, ...rest } = property;
  return {
    ...(type !== undefined && { type: [type, 'null'] }),
    ...(Array.isArray(values) && { enum: [...values, null] }),
    ...rest,
  };
}

function refsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value.slice('#/$defs/'.length)] : refsIn(value),
  );
}
