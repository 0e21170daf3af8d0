import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import bad from '../samples/bad.json';
import good from '../samples/good.json';
import { ConsentEventMessage } from './consent-event.message';
import { parseEventMessage, validateEvent } from './validate-event';

const acceptedByClass = async (event: object) =>
  (await validate(plainToInstance(ConsentEventMessage, event), { whitelist: true, forbidNonWhitelisted: true }))
    .length === 0;

describe('a consent event', () => {
  it.each(good)('is accepted both ways: $name', async ({ event }) => {
    expect(validateEvent(event)).toEqual({ ok: true, event });
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
  });
});

describe('a message on consent.events.v1', () => {
  const code = (bytes: Buffer | null) => {
    const result = parseEventMessage(bytes);
    return result.ok ? 'ok' : result.reasons[0]?.code;
  };
  const text = (json: string) => Buffer.from(json);

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
    ['unknown_field', text('{"organization_id":"acme","__proto__":{"a":1}}')],
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

  it('names the organization of a refused message when it can be told', () => {
    expect(parseEventMessage(text('{"organization_id":"acme","x":1}'))).toMatchObject({ organizationId: 'acme' });
    expect(parseEventMessage(text('{"organization_id":"A C","x":1}'))).toMatchObject({ organizationId: undefined });
  });
});
