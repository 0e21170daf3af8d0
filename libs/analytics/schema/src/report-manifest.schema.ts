import { AGGREGATIONS, FREQUENCIES } from '@delivery/analytics/domain';

const text = { type: 'string', minLength: 1 } as const;
const count = { type: 'integer', minimum: 0 } as const;
const day = { type: 'string', format: 'date' } as const;

/** Every field is present. */
function object(description: string, properties: Record<string, object>) {
  return { type: 'object', description, required: Object.keys(properties), properties };
}

/** `_manifest-<report>.json`: the files of a report. The signature covers the RFC 8785 form of all other fields. */
export const reportManifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'analytics.report-manifest.v1',
  title: 'The manifest of a report',
  ...object('The files of one report. Fields may be added; they are signed, too.', {
    manifest_version: { const: 1 },
    organization_id: text,
    analytics_id: text,
    report: { ...text, description: 'Its name, such as `granular-2022-04-04-2022-04-10`.' },
    aggregation: { enum: AGGREGATIONS },
    frequency: { enum: FREQUENCIES },
    first_day: day,
    last_day: day,
    settings_ids: { type: 'array', items: text, description: 'The settings that are counted.' },
    schema_version: { const: 1, description: 'Of the columns.' },
    columns: { type: 'array', items: text },
    files: {
      type: 'array',
      minItems: 1,
      items: object('A file, each with the header.', {
        name: text,
        bytes: count,
        rows: { ...count, description: 'Without the header.' },
        sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal.' },
      }),
    },
    totals: object('Sums.', { files: count, bytes: count, rows: count }),
    signature: object('Over the canonical form of all other fields.', {
      algorithm: { const: 'Ed25519' },
      key_id: { ...text, description: 'First 16 hexadecimal digits of the SHA-256 of the public key (SPKI, DER).' },
      value: { ...text, description: 'Base64.' },
    }),
  }),
};
