import { plainToInstance } from 'class-transformer';
import { Ajv2020 } from 'ajv/dist/2020';
import { validate } from 'class-validator';
import fc from 'fast-check';
import bad from '../samples/bad.json';
import good from '../samples/good.json';
import { ConsentEventMessage } from './consent-event.message';
import { consentEventSchema, parseEventMessage, validateEvent } from './validate-event';

const acceptedByClass = async (event: object) =>
  (await validate(plainToInstance(ConsentEventMessage, event), { whitelist: true, forbidNonWhitelisted: true }))
    .length === 0;

describe('a consent event', () => {
  it.each(good)('is accepted both ways: $name', async ({ event }) => {
    expect(validateEvent(event)).toEqual({ ok: true, value: event });
    await expect(acceptedByClass(event)).resolves.toBe(true);
  });

  it.each(bad)('is refused both ways, naming the field: $name', async ({ event, field, ...sample }) => {
    const result = validateEvent(event);
    expect(result.ok ? [] : result.reasons.map((reason) => reason.field)).toContain(field);
    if (!('rule' in sample)) await expect(acceptedByClass(event)).resolves.toBe(false);
  });

  it('tells in a sentence what to change', () => {
    const result = validateEvent({ organization_id: 'acme', proofs: [], status: 'x', user: { idd: 1 } });
    expect(result.ok ? [] : result.reasons.map((reason) => reason.message)).toEqual([
      'proofs cannot be sent inside an event yet; leave them out.',
      'status must be one of confirmed, pending_approval.',
      'user.idd is not a field of this object; remove it or correct its name.',
    ]);
    const forms = validateEvent({
      organization_id: 'Acme',
      id: 'a b',
      user: { country: 'fr' },
      source: 'x'.repeat(65),
    });
    expect(forms.ok ? [] : forms.reasons.map((reason) => reason.message)).toEqual([
      'organization_id must be an organization id: 1 to 63 lower-case letters, digits, "_" or "-", not beginning with "_" or "-".',
      'id must be 1 to 64 letters, digits, "_", ".", ":" or "-".',
      'source may have at most 64 characters.',
      'user.country must be an ISO 3166-1 alpha-2 code, such as FR.',
    ]);
  });
});

/** What a careless producer writes into a field, besides what belongs there. */
const careless = fc.constantFrom<unknown>(
  null,
  true,
  0,
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
  { id: 'x' },
  [{ id: 'x' }],
  [{ id: 1 }],
);
const mostly = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: value, weight: 30 }, { arbitrary: careless, weight: 1 });
const some = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mostly(value)])), {
    requiredKeys: 'id' in fields ? ['id'] : [],
  });
const list = (item: fc.Arbitrary<unknown>) => fc.array(mostly(item), { maxLength: 3 });
const flag = fc.boolean();
const id = fc.constantFrom('a', 'b');
const channel = some({ id, enabled: flag });
const preference = some({ id, enabled: flag, channels: list(channel) });
const purpose = some({ id, enabled: flag, enabled_li: flag, preferences: list(preference) });
const vendors = some({ enabled: list(id), disabled: list(id), enabled_li: list(id) });
const user = some({ id, organization_user_id: id, metadata: fc.constant({ k: 1 }), country: fc.constant('DE') });
const anyEvent = some({
  created_at: fc.constant('2026-01-02T10:00:00Z'),
  status: fc.constant('confirmed'),
  user,
  delegate: some({ id, name: id }),
  consents: some({ channels: list(channel), purposes: list(purpose), vendors, tcfcs: id }),
  proofs_id: list(id),
}).map((event) => ({ organization_id: 'acme', ...event }));

describe('the class and the JSON Schema', () => {
  const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(consentEventSchema);

  it('accept and refuse the same', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(anyEvent, async (event) => {
        accepted += schema(event) ? 1 : 0;
        expect(await acceptedByClass(event)).toBe(schema(event));
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('a message on consent.events.v1', () => {
  const code = (bytes: Buffer | null) => {
    const result = parseEventMessage(bytes);
    return result.ok ? 'ok' : result.reasons[0]?.code;
  };
  const text = (json: string) => Buffer.from(json);

  it('with an unsafe key or text is told where it is', () => {
    const faultOf = (json: string) => {
      const result = parseEventMessage(text(json));
      return result.ok ? undefined : result.reasons[0];
    };
    expect(faultOf('{"organization_id":"acme","metadata":{"a":{"constructor":1}}}')).toMatchObject({
      field: 'metadata.a',
      message: 'metadata.a holds NUL or a lone surrogate, or a key __proto__ or constructor.',
    });
    expect(faultOf('{"organization_id":"acme","user":{"organization_user_id":"\\ud800"}}')).toMatchObject({
      field: 'user.organization_user_id',
    });
  });

  it.each([
    ['empty', null],
    ['empty', text('')],
    ['not_json', text('{"organization_id":')],
    ['not_utf8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['wrong_type', text('[]')],
    ['wrong_type', text('null')],
    ['too_large', Buffer.alloc(1_048_577, 0x20)],
    ['unsafe_text', text('{"organization_id":"acme","metadata":{"a":"\\u0000"}}')],
    ['unsafe_text', text('{"organization_id":"acme","metadata":{"\\ud800":1}}')],
    ['unsafe_text', text('{"organization_id":"acme","metadata":{"__proto__":{"a":1}}}')],
    ['unsafe_text', text('{"organization_id":"acme","metadata":{"constructor":{"prototype":1}}}')],
    ['unsafe_text', text('{"organization_id":"acme","metadata":{"__pr\\u006fto__":1}}')],
    ['unsafe_text', text(`{"organization_id":"acme","metadata":{"${'k'.repeat(10_000)}":"\\u0000"}}`)],
    ['ok', text('{"organization_id":"acme","metadata":{"constructors":"\\\\u0000"}}')],
    ['unknown_field', text('{"organization_id":"acme","__proto__":{"a":1}}')],
    ['unknown_field', text('{"organization_id":"acme","constructor":{"a":1}}')],
    ['out_of_range', text('{"organization_id":"acme","metadata":{"a":[1e400]}}')],
    ['not_json', text(`${'['.repeat(500_000)}`)],
    ['unknown_field', text(`{"organization_id":"acme","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)],
    ['ok', text('{"organization_id":"acme","metadata":{"a":"\\u00e9 \\ud83c\\udf6a"}}')],
  ])('is %s', (expected, bytes) => {
    expect(code(bytes)).toBe(expected);
  });

  it('is looked through once when it is large: all faults of it would take minutes', () => {
    const large = parseEventMessage(
      text(`{"organization_id":"acme","consents":{"purposes":[${'{},'.repeat(300_000)}{}]}}`),
    );
    expect(large).toMatchObject({ ok: false, reasons: [{ field: 'consents.purposes' }] });
    const small = parseEventMessage(text('{"organization_id":"acme","consents":{"purposes":[{},{}]}}'));
    expect(small).toMatchObject({
      reasons: [{ field: 'consents.purposes.0.id' }, { field: 'consents.purposes.1.id' }],
    });
  });

  it('is refused in few words, whatever it holds', () => {
    const long = 'k'.repeat(15_000);
    for (const json of [
      `{"organization_id":"acme","metadata":{"${long}":"\\u0000"}}`,
      `{"organization_id":"acme","${long}":1}`,
      `{"organization_id":"acme",${Array.from({ length: 500 }, (_, i) => `"k${i}":1`).join(',')}}`,
      `{"organization_id":"acme","id":"${long}","source":"${long}","user":{"id":"${long}"},"created_at":"${long}"}`,
    ]) {
      const result = parseEventMessage(text(json));
      expect(result.ok ? Infinity : JSON.stringify(result.reasons).length).toBeLessThan(4_000);
    }
  });

  it('names the organization of a refused message when it can be told', () => {
    expect(parseEventMessage(text('{"organization_id":"acme","x":1}'))).toMatchObject({ organizationId: 'acme' });
    expect(parseEventMessage(text('{"organization_id":"A C","x":1}'))).toMatchObject({ organizationId: undefined });
  });
});
