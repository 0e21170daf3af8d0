import fc from 'fast-check';
import { parseUserDocument, userDocument } from './documents';
import { orderKeyOf, type ConsentEvent } from './event';
import { applyEvent, foldEvents } from './fold';
import { normalizeEvent, type ConsentsInput } from './normalize-event';
import { compareOrderKeys } from './order-key';

const arrivedAt = Date.parse('2026-03-01T12:00:00Z');

function event(offset: number, createdAt: number, consents: ConsentsInput, user: object = {}): ConsentEvent {
  return normalizeEvent(
    { organization_id: 'acme', created_at: new Date(createdAt).toISOString(), user: { id: 'u1', ...user }, consents },
    { clusterId: 'c', topic: 't', position: { topicId: 1, partition: 0, epoch: 1, offset: BigInt(offset) }, arrivedAt },
  );
}

function stateOf(events: readonly ConsentEvent[]) {
  return foldEvents([...events].sort((a, b) => compareOrderKeys(orderKeyOf(a), orderKeyOf(b))));
}

const ids = fc.constantFrom('a', 'b', 'c', 'd');
const choice = fc.option(fc.boolean(), { nil: null });
const channel = fc.record({ id: ids, enabled: choice });
const consents = fc.record({
  channels: fc.array(channel, { maxLength: 3 }),
  purposes: fc.array(
    fc.record({
      id: ids,
      enabled: choice,
      enabled_li: choice,
      preferences: fc.array(fc.record({ id: ids, enabled: choice, channels: fc.array(channel, { maxLength: 2 }) }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 4 },
  ),
  vendors: fc.record({
    enabled: fc.uniqueArray(ids),
    disabled: fc.constant<string[]>([]),
    enabled_li: fc.constant<string[]>([]),
    disabled_li: fc.uniqueArray(ids),
  }),
  tcfcs: fc.option(fc.string(), { nil: null }),
});

describe('fold', () => {
  it('gives one state whatever order the events arrive in', () => {
    const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), consents), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        history.chain((h) =>
          fc.tuple(
            fc.constant(h),
            fc.shuffledSubarray(
              h.map((_, i) => i),
              { minLength: h.length },
            ),
          ),
        ),
        ([h, order]) => {
          const events = h.map(([time, given], i) => event(i, arrivedAt - 10_000 + time, given));
          const shuffled = order.map((i) => events[i]).filter((e) => e !== undefined);
          expect(stateOf(shuffled)).toEqual(stateOf(events));
        },
      ),
    );
  });

  it('continues from a stored document as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.array(consents, { minLength: 2, maxLength: 6 }), (given) => {
        const events = given.map((c, i) => event(i, arrivedAt - 1000 + i, c));
        const half = foldEvents(events.slice(0, 1));
        if (half === undefined) throw new Error('no state');
        expect(foldEvents(events.slice(1), parseUserDocument(userDocument(half)))).toEqual(foldEvents(events));
      }),
    );
  });

  it('merges partial choices by id and keeps what an event does not mention', () => {
    const first = event(0, arrivedAt - 2000, {
      purposes: [
        { id: 'ads', enabled: true, enabled_li: false },
        { id: 'stats', enabled: false },
      ],
    });
    const second = event(1, arrivedAt - 1000, { purposes: [{ id: 'stats', enabled: true }, { id: 'ads' }] });
    expect(foldEvents([first, second])?.consents.purposes).toEqual([
      { id: 'ads', enabled: true, enabled_li: false },
      { id: 'stats', enabled: true, enabled_li: null },
    ]);
  });

  it('moves a vendor between enabled and disabled', () => {
    const first = event(0, arrivedAt - 2000, { vendors: { enabled: ['google', 'x'], disabled: ['y'] } });
    const second = event(1, arrivedAt - 1000, { vendors: { enabled: ['y'], disabled: ['google'] } });
    expect(foldEvents([first, second])?.consents.vendors).toEqual({
      enabled: ['x', 'y'],
      disabled: ['google'],
      enabled_li: [],
      disabled_li: [],
    });
  });

  it('leaves the state it was given as it was', () => {
    const state = foldEvents([
      event(0, arrivedAt, { purposes: [{ id: 'ads', enabled: true }], vendors: { enabled: ['x'] } }),
    ]);
    const before = structuredClone(state);
    applyEvent(state, event(1, arrivedAt, { purposes: [{ id: 'ads', enabled: false }], vendors: { disabled: ['x'] } }));
    expect(state).toEqual(before);
  });

  it('never takes an effective time after the arrival', () => {
    const future = event(0, Date.parse('2099-01-01T00:00:00Z'), {});
    expect(future.effectiveAt).toBe(arrivedAt);
    expect(new Date(future.createdAt).getUTCFullYear()).toBe(2099);
  });
});
