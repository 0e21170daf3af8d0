const text = { type: 'string', minLength: 1 } as const;
const count = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const;
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal.' } as const;

/** Every field is present. */
function object(description: string, properties: Record<string, object>) {
  return { type: 'object', description, required: Object.keys(properties), properties };
}

const positions = {
  type: 'object',
  description:
    'Topic -> partition -> position. What is not named is at the beginning. Hourly metrics have `analytics.hours`, whose ' +
    'offsets are hours since 1970.',
  additionalProperties: {
    type: 'object',
    additionalProperties: object('The first position that does not belong to it.', {
      epoch: count,
      offset: { type: 'string', pattern: '^(0|[1-9][0-9]*)$' },
    }),
  },
} as const;

/** `_manifest-<run>.json`: what a run delivered. The signature covers the RFC 8785 form of all other fields. */
export const manifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'exports.manifest.v1',
  title: 'The manifest of a run',
  ...object('The files of one run of an export. Fields may be added; they are signed, too.', {
    manifest_version: { const: 1 },
    run: text,
    organization_id: text,
    export_id: { ...text, description: 'The integration.' },
    content: { ...text, description: '`consent-users`, `consent-events` or `cmp_hourly_metrics`.' },
    schema_version: { ...count, description: 'Of the lines.' },
    date: { type: 'string', format: 'date', description: 'UTC day of the due time, as in the path.' },
    window: object('What was recorded at positions [from, to).', {
      from: positions,
      to: positions,
      from_at: { ...timeOrNull, description: 'null: from where recording began.' },
      to_at: time,
    }),
    complete_until: {
      ...timeOrNull,
      description: 'All that arrived before is in this run or an earlier one; null when that cannot be said.',
    },
    due_at: time,
    due_times: { type: 'array', items: time, description: 'Several when the platform was down.' },
    trigger: { enum: ['schedule', 'manual'] },
    files: {
      type: 'array',
      items: object('A data file.', {
        key: text,
        bytes: count,
        rows: { ...count, description: 'Lines.' },
        sha256: hash,
      }),
    },
    totals: object('Sums. Where lines hold no users, `users` is 0, and every line counts as an event.', {
      files: count,
      bytes: count,
      rows: count,
      users: count,
      events: count,
    }),
    previous: {
      anyOf: [
        object('The run completed before, and the hash of its manifest file.', { run: text, sha256: hash }),
        { type: 'null' },
      ],
    },
    missing: { type: 'array', items: text, description: 'Earlier runs that are not delivered.' },
    erased: { type: 'array', items: text, description: 'People erased since the run before, as hashed keys.' },
    signature: object('Over the canonical form of all other fields.', {
      algorithm: { const: 'Ed25519' },
      key_id: { ...text, description: 'First 16 hexadecimal digits of the SHA-256 of the public key (SPKI, DER).' },
      value: { ...text, description: 'Base64.' },
    }),
  }),
};
