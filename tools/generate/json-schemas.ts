import {
  InteractionMessage,
  interactionSchema,
  reportManifestSchema,
  ReportsRequestedMessage,
} from '@delivery/analytics/schema';
import { ConsentEventMessage, consentEventSchema, jsonSchemaOf, type JsonSchema } from '@delivery/consent/schema';
import {
  deliveredEventSchema,
  deliveredLineSchema,
  deliveredMetricSchema,
  manifestSchema,
  RunChangedMessage,
  RunRequestedMessage,
} from '@delivery/exports/schema';

import { type ClassComments, readClassComments } from './doc-comments';
import { type GeneratedFile, referenceFolder } from './generator';

/** File names of the published schemas; AsyncAPI refers to them. */
export const schemaFiles = {
  consentEvent: 'consent-event.schema.json',
  interaction: 'interaction.schema.json',
  deliveredLine: 'delivered-line.schema.json',
  deliveredEvent: 'delivered-event.schema.json',
  deliveredMetric: 'delivered-metric.schema.json',
  manifest: 'manifest.schema.json',
  reportManifest: 'report-manifest.schema.json',
  runRequested: 'run-requested.schema.json',
  runChanged: 'run-changed.schema.json',
  reportsRequested: 'reports-requested.schema.json',
} as const;

/** The JSON Schemas of what is published to topics and delivered to buckets. */
export function generateJsonSchemas(): GeneratedFile[] {
  const events = readClassComments('libs/consent/schema/src/consent-event.message.ts');
  const interactions = readClassComments('libs/analytics/schema/src/interaction.message.ts');
  const runs = readClassComments('libs/exports/schema/src/run.messages.ts');
  const reports = readClassComments('libs/analytics/schema/src/reports-requested.message.ts');
  const schemaOf = (message: new () => object, id: string, title: string, comments: typeof runs) =>
    describeSchema(jsonSchemaOf(message, `urn:consent-delivery:${id}:v1`, title), message.name, comments);
  return [
    file(schemaFiles.consentEvent, describeSchema(consentEventSchema, ConsentEventMessage.name, events)),
    file(schemaFiles.interaction, describeSchema(interactionSchema, InteractionMessage.name, interactions)),
    file(schemaFiles.deliveredLine, deliveredLineSchema),
    file(schemaFiles.deliveredEvent, deliveredEventSchema),
    file(schemaFiles.deliveredMetric, deliveredMetricSchema),
    file(schemaFiles.manifest, manifestSchema),
    file(schemaFiles.reportManifest, reportManifestSchema),
    file(schemaFiles.runRequested, schemaOf(RunRequestedMessage, 'run-requested', 'Run requested', runs)),
    file(schemaFiles.runChanged, schemaOf(RunChangedMessage, 'run-changed', 'Run changed', runs)),
    file(
      schemaFiles.reportsRequested,
      schemaOf(ReportsRequestedMessage, 'reports-requested', 'Reports requested', reports),
    ),
  ];
}

function file(name: string, schema: object): GeneratedFile {
  return { path: `${referenceFolder}/${name}`, text: JSON.stringify(schema) };
}

/** Adds the comments of the class `root`, and of those it nests, to the schema made from its decorators. */
export function describeSchema(
  schema: JsonSchema,
  root: string,
  comments: ReadonlyMap<string, ClassComments>,
): JsonSchema {
  const { $schema, $id, title, $defs, ...main } = schema;
  const definitions = Object.entries(asObject($defs)).map(([name, definition]) => [
    name,
    describeObject(asObject(definition), comments.get(name)),
  ]);
  return {
    $schema,
    $id,
    title,
    ...describeObject(main, comments.get(root)),
    ...(definitions.length > 0 && { $defs: Object.fromEntries(definitions) }),
  };
}

function describeObject(schema: JsonSchema, comments: ClassComments | undefined): JsonSchema {
  const properties = Object.entries(asObject(schema['properties'])).map(([name, property]) => {
    const description = comments?.properties.get(name);
    return [name, { ...(description !== undefined && { description }), ...asObject(property) }];
  });
  return {
    ...(comments?.own !== undefined && { description: comments.own }),
    ...schema,
    properties: Object.fromEntries(properties),
  };
}

function asObject(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
