const textOrNull = { type: ['string', 'null'], minLength: 1 } as const;
const count = { type: 'integer', minimum: 0 } as const;

/** In the order of the line. Every field is present; fields may be added, and readers ignore what they do not know. */
const fields = {
  organization_id: { type: 'string', minLength: 1 },
  date: { type: 'string', format: 'date', description: 'UTC day of the arrival.' },
  hour: { type: 'integer', minimum: 0, maximum: 23, description: 'UTC hour of the arrival.' },
  domain: { ...textOrNull, description: 'Where it happened; like all dimensions `null` when nobody said.' },
  platform: { ...textOrNull, description: '`web`, `app`, ...' },
  device_type: textOrNull,
  country: { ...textOrNull, description: 'Of a consent: where the user was last seen, else his country.' },
  regulation: textOrNull,
  notice_id: {
    ...textOrNull,
    description: 'The settings id, or the notice id, of the banner; of a consent by its `metadata`.',
  },
  pageviews: count,
  sessions: { ...count, description: 'Different ones within the hour and these dimensions.' },
  notice_displays: { ...count, description: 'Interactions `CMP_SHOWN`.' },
  consents_positive: { ...count, description: 'Recorded consents in which every choice is yes.' },
  consents_negative: { ...count, description: 'Recorded consents in which every choice is no.' },
  consents_partial: { ...count, description: 'All other recorded consents, also those without a choice.' },
  ui_interactions: { ...count, description: 'What else was done on banners; a decision on services is none.' },
} as const;

/** One line of a `cmp_hourly_metrics` file (contracts.md D-18). By hand, as that of a consent: nothing is validated by it. */
export const deliveredMetricSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'exports.cmp_hourly_metrics.line.v1',
  title: 'A line of a cmp_hourly_metrics export',
  type: 'object',
  description:
    'What arrived within one hour, of one combination of dimensions. Final: there is one line of each combination and ' +
    'hour, and only of those that occurred. Sum up what you do not need apart; sums of `sessions` count a session once ' +
    'for each hour and combination that it is in. Consents are those of guests, too, which exports of events and users ' +
    'leave out unless the organization wants them.',
  required: Object.keys(fields),
  properties: fields,
};
