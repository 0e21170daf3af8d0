import { eventDocument, parseEventDocument, parseUserDocument, userDocument } from './documents';
import { foldEvents } from './fold';
import { normalizeEvent, type ConsentEventInput } from './normalize-event';

const arrivedAt = Date.parse('2026-03-01T12:00:00Z');
const position = { topicId: 1, partition: 0, epoch: 1, offset: 7n };
const normalized = (input: ConsentEventInput) =>
  normalizeEvent(input, { clusterId: 'c', topic: 't', position, arrivedAt });

const bare = normalized({ organization_id: 'acme', id: 'e1', user: { id: 'u1' } });
const full = normalized({
  organization_id: 'acme',
  id: 'e2',
  created_at: '2026-01-02T10:00:00Z',
  source: 'sdk-web',
  user: {
    id: 'u1',
    organization_user_id: 'jane',
    organization_user_id_type: 'login',
    metadata: { '\u2028': '"\\ü🍪' },
    country: 'FR',
  },
  consents: {
    channels: [{ id: 'email', enabled: true }],
    purposes: [
      { id: 'cookies', enabled: true, preferences: [{ id: 'news', enabled: false, channels: [{ id: 'sms' }] }] },
    ],
    vendors: { enabled: ['google'], disabled_li: ['x'] },
    tcfcs: 'CP1',
  },
  proofs_id: ['p1'],
  delegate: { id: 'd1', name: 'Ann' },
  validation: { method: 'email' },
  metadata: { n: 1.5 },
});

const noConsents =
  '"consents":{"channels":[],"purposes":[],"vendors":{"enabled":[],"enabled_li":[],"disabled":[],"disabled_li":[]},"tcfcs":null}';

describe('documents', () => {
  it('of an event have every field, in one order', () => {
    expect(eventDocument(bare, 1)).toBe(
      '{"id":"e1","organization_id":"acme","status":"confirmed","source":null,"regulation":"gdpr",' +
        '"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z",' +
        '"user":{"id":"u1","organization_user_id":null,"organization_user_id_type":null,"metadata":null},' +
        `"country":null,"last_seen_country":null,"metadata":{},${noConsents},` +
        '"proofs_id":[],"delegate":null,"validation":null,"version":1}',
    );
  });

  it('of a user have every field, in one order', () => {
    const state = foldEvents([bare]);
    expect(state && userDocument({ ...state, version: 1 })).toBe(
      '{"id":"u1","organization_id":"acme","organization_user_id":null,"organization_user_id_type":null,"version":1,' +
        '"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z","country":null,' +
        `"last_seen_country":null,"metadata":{},${noConsents},` +
        '"delegate":null,"validation":null,"proofs_id":null,"source":null,"status":null}',
    );
  });

  it('write choices with what was not chosen as null', () => {
    expect(JSON.parse(eventDocument(full, 1)).consents.purposes).toEqual([
      {
        id: 'cookies',
        enabled: true,
        enabled_li: null,
        preferences: [{ id: 'news', enabled: false, channels: [{ id: 'sms', enabled: null }] }],
      },
    ]);
  });

  it.each([bare, full])('are read back as they were written: $id', (event) => {
    const { effectiveAt } = event;
    expect(parseEventDocument(eventDocument(event, 1), { effectiveAt, position })).toEqual(event);
    const state = foldEvents([event]);
    expect(state && parseUserDocument(userDocument(state))).toEqual(state);
  });

  it('are one line each', () => {
    expect(eventDocument(full, 1)).not.toMatch(/[\n\r]/);
  });
});
