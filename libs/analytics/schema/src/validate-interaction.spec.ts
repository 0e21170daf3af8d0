import { INTERACTION_TYPES } from '@delivery/analytics/domain';
import { Ajv2020 } from 'ajv/dist/2020';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import fc from 'fast-check';
import bad from '../samples/bad.json';
import good from '../samples/good.json';
import { InteractionMessage } from './interaction.message';
import { interactionSchema, parseInteractionMessage, validateInteraction } from './validate-interaction';

const acceptedByClass = async (interaction: object) =>
  (await validate(plainToInstance(InteractionMessage, interaction), { whitelist: true, forbidNonWhitelisted: true }))
    .length === 0;
const decision = {
  organization_id: 'acme',
  type: 'DECISION',
  settings_id: 'set-1',
  device_id: 'd1',
  action: 0,
  action_type: 'explicit',
};
const services = (count: number) => Array.from({ length: count }, (_, n) => ({ template_id: `s${n}`, consent: 1 }));

describe('an interaction', () => {
  it.each(good)('is accepted both ways: $name', async ({ interaction }) => {
    expect(validateInteraction(interaction)).toEqual({ ok: true, value: interaction });
    await expect(acceptedByClass(interaction)).resolves.toBe(true);
  });

  it.each(bad)('is refused both ways, naming the field: $name', async ({ interaction, field, ...sample }) => {
    const result = validateInteraction(interaction);
    expect(result.ok ? [] : result.reasons.map((reason) => reason.field)).toContain(field);
    await expect(acceptedByClass(interaction)).resolves.toBe('rule' in sample);
  });

  it('decides on 500 services at most', async () => {
    for (const [count, accepted] of [
      [500, true],
      [501, false],
    ] as const) {
      const interaction = { ...decision, services: services(count) };
      expect(validateInteraction(interaction).ok).toBe(accepted);
      await expect(acceptedByClass(interaction)).resolves.toBe(accepted);
    }
  });

  it('tells in a sentence what to change', () => {
    const told = (interaction: object) => {
      const result = validateInteraction(interaction);
      return result.ok ? [] : result.reasons.map((reason) => reason.message);
    };
    expect(told({ organization_id: 'acme', type: 'DECISION', settings_id: 's' })).toEqual([
      'action is required of a DECISION.',
      'action_type is required of a DECISION.',
      'services must name at least one service that a DECISION is about.',
      'A DECISION needs device_id or controller_id: decisions are counted per device.',
    ]);
    expect(told({ organization_id: 'acme', type: 'SAVE', settings_id: 's', action: 0 })).toEqual([
      'action belongs to a DECISION only; leave it out of a SAVE.',
    ]);
    expect(told({ organization_id: 'acme', type: 'SHOWN', settings_id: 'a/b', sessionId: 's' })).toEqual([
      'sessionId is not a field of this object; remove it or correct its name.',
      `type must be one of ${INTERACTION_TYPES.join(', ')}.`,
      'settings_id must be 1 to 64 letters, digits, "_", "." or "-".',
    ]);
    expect(told({ ...decision, action: 9, services: [{ template_id: 'a b', consent: 2 }] })).toEqual([
      'action must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8.',
      'services.0.template_id must be 1 to 128 letters, digits, "_", ".", ":" or "-".',
      'services.0.consent must be one of 0, 1.',
    ]);
  });
});

/** What a careless producer writes into a field, besides what belongs there. */
const careless = fc.constantFrom<unknown>(
  null,
  true,
  0,
  -1,
  1.5,
  '',
  'x',
  'FR',
  'a\nb',
  '2026-01-02',
  'x'.repeat(257),
  [],
  [[]],
  ['x'],
  [null],
  [{}],
  {},
  [{ template_id: 'x' }],
  [{ template_id: 'x', consent: 1 }],
);
const mostly = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: value, weight: 30 }, { arbitrary: careless, weight: 1 });
const some = (fields: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mostly(value)])), { requiredKeys });
const text = fc.constantFrom('a', 'b');
const service = some({ template_id: text, name: text, consent: fc.constantFrom(0, 1) }, ['template_id', 'consent']);
const anyInteraction = some(
  {
    type: fc.constantFrom(...INTERACTION_TYPES),
    settings_id: text,
    id: text,
    device_id: text,
    session_id: text,
    platform: text,
    country: fc.constant('DE'),
    regulation: fc.constant('gdpr'),
    created_at: fc.constant('2026-01-02T10:00:00Z'),
    action: fc.integer({ min: 0, max: 8 }),
    action_type: fc.constantFrom('explicit', 'implicit'),
    services: fc.array(mostly(service), { maxLength: 3 }),
  },
  ['type', 'settings_id'],
).map((interaction) => ({ organization_id: 'acme', ...interaction }));

describe('the class and the JSON Schema', () => {
  const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(interactionSchema);

  it('accept and refuse the same', async () => {
    const seen = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(anyInteraction, async (interaction) => {
        seen[schema(interaction) ? 'accepted' : 'refused'] += 1;
        expect(await acceptedByClass(interaction)).toBe(schema(interaction));
      }),
      { numRuns: 300 },
    );
    expect(seen.accepted).toBeGreaterThan(20);
    expect(seen.refused).toBeGreaterThan(20);
  });
});

describe('a message on consent.interactions.v1', () => {
  const shown = '"organization_id":"acme","type":"CMP_SHOWN","settings_id":"s"';
  const code = (bytes: Buffer | null) => {
    const result = parseInteractionMessage(bytes);
    return result.ok ? 'ok' : result.reasons[0]?.code;
  };

  it.each([
    ['empty', null],
    ['not_json', '{"organization_id":'],
    ['wrong_type', '[]'],
    ['too_large', `{${shown}}${' '.repeat(1_048_576)}`],
    ['unsafe_text', `{${shown},"device_id":"\\ud800"}`],
    ['wrong_form', `{${shown},"device_id":"\\u0000"}`],
    ['unknown_field', `{${shown},"__proto__":{"a":1}}`],
    ['ok', `{${shown},"browser":"\\u00e9 \\ud83c\\udf6a"}`],
    ['ok', `\ufeff{${shown}}`],
  ])('is %s', (expected, json) => {
    expect(code(json === null ? null : Buffer.from(json))).toBe(expected);
  });

  it('that is not UTF-8 is refused', () => {
    expect(code(Buffer.from([0x7b, 0xff, 0x7d]))).toBe('not_utf8');
  });

  it('names the organization of a refused message when it can be told', () => {
    const organization = (json: string) => parseInteractionMessage(Buffer.from(json));
    expect(organization('{"organization_id":"acme","x":1}')).toMatchObject({ organizationId: 'acme' });
    expect(organization('{"organization_id":"A C","x":1}')).toMatchObject({ organizationId: undefined });
  });
});
