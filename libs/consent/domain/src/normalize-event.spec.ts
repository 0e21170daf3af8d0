import { isGuestEvent } from './event';
import { eventIdFromPosition } from './ids';
import { normalizeEvent, type ConsentEventInput } from './normalize-event';

const arrivedAt = Date.parse('2026-03-01T12:00:00Z');
const position = { topicId: 1, partition: 2, epoch: 3, offset: 4n };
const arrival = { clusterId: 'c', topic: 't', position, arrivedAt };
const normalized = (input: Partial<ConsentEventInput>) =>
  normalizeEvent({ organization_id: 'acme', ...input }, arrival);

describe('a recorded event', () => {
  it('has everything that the message left out', () => {
    const id = eventIdFromPosition({ clusterId: 'c', topic: 't', partition: 2, epoch: 3, offset: 4n });
    expect(normalized({})).toMatchObject({
      id,
      organizationUserId: null,
      regulation: 'gdpr',
      status: 'confirmed',
      source: null,
      createdAt: arrivedAt,
      updatedAt: arrivedAt,
      effectiveAt: arrivedAt,
      position,
      userMetadata: null,
      metadata: {},
      consents: {
        channels: [],
        purposes: [],
        vendors: { enabled: [], enabled_li: [], disabled: [], disabled_li: [] },
        tcfcs: null,
      },
      proofsId: [],
      delegate: null,
    });
    expect(normalized({})).toEqual(normalized({ id: null, created_at: null, user: null, consents: null }));
  });

  it.each([
    ['2026-03-01T11:00:00+01:00', '2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00.000Z'],
    ['1970-01-01', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ['2099-12-31T23:59:59.9999Z', '2099-12-31T23:59:59.999Z', '2026-03-01T12:00:00.000Z'],
  ])(
    'of a client who says %s was created then, and takes effect at the arrival at the latest',
    (said, created, effective) => {
      const { createdAt, effectiveAt } = normalized({ created_at: said });
      expect([createdAt, effectiveAt].map((time) => new Date(time).toISOString())).toEqual([created, effective]);
    },
  );

  it('takes countries from the user first', () => {
    expect(normalized({ country: 'FR', user: { country: 'DE' }, last_seen_country: 'ES' })).toMatchObject({
      country: 'DE',
      lastSeenCountry: 'ES',
    });
  });

  it.each([
    [true, { source: 'sdk-web' }],
    [true, { source: 'sdk-mobile', user: { id: 'u1' } }],
    [false, { source: 'sdk-web', user: { organization_user_id: 'jane' } }],
    [false, { source: 'api' }],
    [false, {}],
  ])("is a guest's: %s, for %j", (guest, input) => {
    expect(isGuestEvent(normalized(input))).toBe(guest);
  });
});
