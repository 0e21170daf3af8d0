import type { Poison } from './producer';

/** One of each kind of message that can be no event of the organization. */
export function poisonFor(organization: string): Poison[] {
  const key = `${organization}:poison`;
  const event = (more: object) =>
    JSON.stringify({ organization_id: organization, id: 'poison', user: { id: 'poison' }, ...more });
  const deep = (levels: number): object => (levels === 0 ? {} : { deeper: deep(levels - 1) });
  return [
    { key, value: null, reason: 'empty' },
    { key: null, value: '{"organization_id":', reason: 'not_json' },
    { key, value: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), reason: 'not_utf8' },
    { key, value: '[]', reason: 'wrong_type' },
    { key, value: '{}', reason: 'missing' },
    { key, value: event({ organization_id: 'no-such-organization' }), reason: 'unknown_organization' },
    { key, value: event({ consent: {} }), reason: 'unknown_field' },
    { key, value: event({ proofs: ['data:image/png;base64,AA=='] }), reason: 'not_supported' },
    { key, value: event({ status: 'maybe' }), reason: 'not_allowed' },
    { key, value: event({ created_at: '2026-02-31T00:00:00Z' }), reason: 'no_such_date' },
    { key, value: event({ id: 'no spaces here' }), reason: 'wrong_form' },
    { key, value: event({ consents: { vendors: { enabled: ['v'], disabled: ['v'] } } }), reason: 'contradiction' },
    { key, value: event({ metadata: deep(20) }), reason: 'too_deep' },
    { key, value: event({ metadata: { text: 'x'.repeat(1_048_000) } }), reason: 'too_large' },
    { key, value: event({ metadata: { text: 'NUL \u0000' } }), reason: 'unsafe_text' },
    { key, value: event({ metadata: { text: 'half a \ud800 pair' } }), reason: 'unsafe_text' },
    {
      key,
      value: `{"organization_id":"${organization}","metadata":{"__proto__":{"admin":true}}}`,
      reason: 'unsafe_text',
    },
  ];
}
