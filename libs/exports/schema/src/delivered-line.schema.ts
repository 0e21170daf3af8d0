/**
 * One line of a delivered file (contracts.md §1.6). Written by hand, because it
 * describes what the platform writes: no request is validated by it, and a reader may rely on every field being there.
 * Fields may be added; readers ignore what they do not know.
 */
const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'] } as const;
const time = { type: 'string', format: 'date-time' } as const;
const id = { type: 'string', minLength: 1 } as const;
const choice = {
  type: ['boolean', 'null'],
  description: '`true` agreed, `false` refused, `null` no explicit choice.',
} as const;
const version = { type: 'integer', minimum: 1, description: 'Number of modifications.' } as const;
const metadata = { type: 'object', description: 'Defined by the customer.' } as const;
const alwaysNull = { type: 'null', description: 'Always null for the user.' } as const;

/** Every field is present, but for a purpose's `preferences`. */
function object(description: string, properties: Record<string, object>) {
  return { type: 'object', description, required: Object.keys(properties), properties };
}

function list(description: string, items: object) {
  return { type: 'array', description, items };
}

const channel = object('A channel and the choice for it.', { id, enabled: choice });
const preference = object('A preference and the choice for it.', {
  id,
  enabled: choice,
  channels: list('Channels linked to the purpose and the preference.', { $ref: '#/$defs/channel' }),
});
const purpose = {
  ...object('A purpose and the choices for it.', {
    id,
    enabled: { ...choice, description: 'The choice based on consent.' },
    enabled_li: { ...choice, description: 'The choice based on legitimate interest; `false` means objected.' },
    preferences: list('Preferences below the purpose; left out when there are none.', { $ref: '#/$defs/preference' }),
  }),
  required: ['id', 'enabled', 'enabled_li'],
};
const vendors = object('Vendors by choice.', {
  enabled: list('Agreed, based on consent.', text),
  enabled_li: list('Agreed, based on legitimate interest.', text),
  disabled: list('Refused, based on consent.', text),
  disabled_li: list('Objected, based on legitimate interest.', text),
});
const consents = object('Choices.', {
  channels: list('Choices by channel.', { $ref: '#/$defs/channel' }),
  purposes: list('Choices by purpose.', { $ref: '#/$defs/purpose' }),
  vendors,
  tcfcs: { ...textOrNull, description: 'TCF consent string.' },
});
const delegate = {
  type: ['object', 'null'],
  description: 'The employee of the customer who recorded a signed consent.',
  required: ['id'],
  properties: { id },
  additionalProperties: true,
} as const;
const validation = {
  type: ['object', 'null'],
  description: 'Double opt-in: `{method, status, requested_at, validated_at}`.',
} as const;
const country = { ...textOrNull, description: 'Set by the client only, otherwise null.' };
const lastSeenCountry = { ...textOrNull, description: 'Country of the last known connection.' };

const user = object("The user's state as of the end of the window.", {
  id: { ...id, description: 'With `version`, tells deliveries of one user apart: the highest version is the newest.' },
  organization_id: id,
  organization_user_id: { ...textOrNull, description: "The customer's own id of the user." },
  organization_user_id_type: { ...textOrNull, description: '`email`, ...' },
  version,
  created_at: time,
  updated_at: time,
  country,
  last_seen_country: lastSeenCountry,
  metadata,
  consents: { $ref: '#/$defs/consents' },
  delegate,
  validation,
  proofs_id: alwaysNull,
  source: alwaysNull,
  status: alwaysNull,
});

const event = object('One choice made at one time.', {
  id: { ...id, description: 'With `version`, identifies what was delivered: keep one line of each pair.' },
  organization_id: id,
  status: { const: 'confirmed' },
  source: { ...textOrNull, description: '`sdk-web`, `sdk-mobile`, `api`, `preference-center`, ...' },
  regulation: { ...text, description: 'Always `gdpr` in this export.' },
  created_at: time,
  updated_at: time,
  user: object('The user as the event named him.', {
    id,
    organization_user_id: textOrNull,
    organization_user_id_type: textOrNull,
    metadata: { type: ['object', 'null'], description: 'Defined by the customer.' },
  }),
  country,
  last_seen_country: lastSeenCountry,
  metadata,
  consents: { $ref: '#/$defs/consents' },
  proofs_id: { type: ['array', 'null'], items: text },
  delegate,
  validation,
  version,
});

export const deliveredLineSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'exports.consent-users.line.v1',
  title: 'A line of a consent-users export',
  ...object('A user that was touched in the window, with its events in the window.', {
    user: { $ref: '#/$defs/user' },
    events: {
      ...list('In the order in which they were recorded. A user with more events has several lines.', {
        $ref: '#/$defs/event',
      }),
      minItems: 1,
      maxItems: 1000,
    },
  }),
  $defs: { user, event, consents, channel, purpose, preference },
};

/** One line of a `consent-events` file: what stands in `events` of the above. */
export const deliveredEventSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'exports.consent-events.line.v1',
  title: 'A line of a consent-events export',
  ...event,
  $defs: { consents, channel, purpose, preference },
};
