import { type Expected, expectedEvent, expectedUser, isGuest } from './expected-documents';
import type { WireEvent } from './wire-event';

const arrival = Date.UTC(2026, 5, 1, 12);

/** Events that arrive one after the other, a second apart. */
function history(...events: Partial<WireEvent>[]): Expected[] {
  return events.map((more, n) => ({
    via: 'kafka',
    event: { organization_id: 'acme', id: `e${n}`, user: { id: 'u1' }, ...more },
    place: { epoch: 1, partition: 0, offset: BigInt(n), arrivedAt: arrival + n * 1000 },
  }));
}

describe('expectedUser', () => {
  it('lets each event change only what it speaks of', () => {
    const user = expectedUser(
      history(
        {
          consents: {
            purposes: [
              { id: 'a', enabled: true, enabled_li: false },
              { id: 'b', enabled: true },
            ],
            tcfcs: 'one',
          },
        },
        {
          consents: { purposes: [{ id: 'c' }, { id: 'a', enabled: false }] },
          user: { id: 'u1', metadata: { plan: 'plus' } },
        },
        { consents: { purposes: [{ id: 'b', enabled: null }] } },
      ),
    );
    expect(user).toMatchObject({
      version: 3,
      metadata: { plan: 'plus' },
      consents: {
        tcfcs: 'one',
        purposes: [
          { id: 'a', enabled: false, enabled_li: false, preferences: [] },
          { id: 'b', enabled: true, enabled_li: null, preferences: [] },
          { id: 'c', enabled: null, enabled_li: null, preferences: [] },
        ],
      },
    });
  });

  it('moves vendors between opposite lists and merges what is nested', () => {
    const preferences = (enabled: boolean, channel: boolean) => [
      { id: 'p', enabled, channels: [{ id: 'sms', enabled: channel }] },
    ];
    const user = expectedUser(
      history(
        {
          consents: {
            vendors: { enabled: ['v1', 'v2'], disabled_li: ['v1'] },
            purposes: [{ id: 'a', preferences: preferences(true, true) }],
          },
        },
        {
          consents: {
            vendors: { disabled: ['v1'], enabled_li: ['v1'] },
            purposes: [{ id: 'a', preferences: preferences(false, false) }],
          },
        },
        { consents: { vendors: { enabled: ['v3', 'v1'] }, channels: [{ id: 'email', enabled: true }] } },
      ),
    );
    expect(user).toMatchObject({
      consents: {
        channels: [{ id: 'email', enabled: true }],
        vendors: { enabled: ['v2', 'v3', 'v1'], disabled: [], enabled_li: ['v1'], disabled_li: [] },
        purposes: [{ id: 'a', preferences: [{ id: 'p', enabled: false, channels: [{ id: 'sms', enabled: false }] }] }],
      },
    });
  });

  it("orders by the client's time, but by none that lies after the arrival", () => {
    const user = expectedUser(
      history(
        { created_at: '2099-01-01T00:00:00Z', consents: { tcfcs: 'from the future' } },
        {
          created_at: '1970-01-01T00:00:00Z',
          consents: { tcfcs: 'from long ago', channels: [{ id: 'email', enabled: true }] },
        },
        { consents: { tcfcs: 'now' }, delegate: { id: 'agent' } },
        { created_at: '2026-05-01T00:00:00Z', consents: { tcfcs: 'late' }, delegate: { id: 'other' } },
      ),
    );
    expect(user).toMatchObject({
      created_at: '1970-01-01T00:00:00.000Z',
      updated_at: new Date(arrival + 2000).toISOString(),
      delegate: { id: 'agent' },
      consents: { tcfcs: 'now', channels: [{ id: 'email', enabled: true }] },
    });
  });
});

it('an event is delivered as it was sent, with its gaps spelled out', () => {
  const [sent] = history({
    created_at: '2026-01-02T10:00:00+01:00',
    country: 'FR',
    consents: { vendors: { enabled: ['v'] } },
  }) as [Expected];
  expect(expectedEvent(sent)).toEqual({
    id: 'e0',
    organization_id: 'acme',
    status: 'confirmed',
    source: null,
    created_at: '2026-01-02T09:00:00.000Z',
    updated_at: '2026-01-02T09:00:00.000Z',
    user: { id: 'u1', organization_user_id: null, metadata: null },
    country: 'FR',
    last_seen_country: null,
    metadata: {},
    consents: {
      channels: [],
      purposes: [],
      vendors: { enabled: ['v'], enabled_li: [], disabled: [], disabled_li: [] },
      tcfcs: null,
    },
    proofs_id: [],
    delegate: null,
    validation: null,
    version: 1,
  });
  expect(expectedEvent({ ...sent, via: 'rest' })).toMatchObject({ source: 'api' });
});

it('a guest is seen by SDKs only and never named', () => {
  const sdk = { source: 'sdk-web' };
  expect(isGuest(history(sdk, sdk))).toBe(true);
  expect(isGuest(history(sdk, { ...sdk, user: { id: 'u1', organization_user_id: 'x' } }))).toBe(false);
  expect(isGuest(history(sdk, { source: 'api' }))).toBe(false);
  expect(isGuest(history({}))).toBe(false);
});
