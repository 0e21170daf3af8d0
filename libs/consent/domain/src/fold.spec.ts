import fc from 'fast-check';
import { parseUserDocument, userDocument } from './documents';
import { orderKeyOf, type ConsentEvent } from './event';
import { applyEvent, foldEvents } from './fold';
import { normalizeEvent, type ConsentEventInput, type ConsentsInput } from './normalize-event';
import { compareOrderKeys } from './order-key';

const arrivedAt = Date.parse('2026-03-01T12:00:00Z');

interface Place {
  partition?: number;
  offset: number;
}

function event(
  at: Place,
  createdAt: number,
  consents: ConsentsInput,
  more: Partial<ConsentEventInput> = {},
): ConsentEvent {
  const input = {
    organization_id: 'acme',
    created_at: new Date(createdAt).toISOString(),
    user: { id: 'u1' },
    consents,
  };
  const position = { topicId: 1, partition: at.partition ?? 0, epoch: 1, offset: BigInt(at.offset) };
  return normalizeEvent({ ...input, ...more }, { clusterId: 'c', topic: 't', position, arrivedAt });
}

const inOrder = (events: readonly ConsentEvent[]) =>
  events
    .filter(({ status }) => status === 'confirmed')
    .toSorted((a, b) => compareOrderKeys(orderKeyOf(a), orderKeyOf(b)));

/** What a recorder does with batches as they come: newer events onto the stored document, older ones all over again. */
function record(batches: readonly (readonly ConsentEvent[])[]): string | undefined {
  const recorded: ConsentEvent[] = [];
  let document: string | undefined;
  for (const batch of batches) {
    const fresh = inOrder(batch);
    const [oldest] = fresh;
    if (oldest === undefined) continue;
    const newest = inOrder(recorded).at(-1);
    const late = newest !== undefined && compareOrderKeys(orderKeyOf(oldest), orderKeyOf(newest)) < 0;
    const base = document === undefined || late ? undefined : parseUserDocument(document);
    const state = foldEvents(late ? inOrder([...recorded, ...fresh]) : fresh, base);
    recorded.push(...fresh);
    document = state && userDocument(state);
  }
  return document;
}

const ids = fc.constantFrom('a', 'b', 'c', 'd');
const choice = fc.option(fc.boolean(), { nil: null });
const channel = fc.record({ id: ids, enabled: choice });
/** Some ids on one side or the other, never on both. */
const sides = fc
  .array(fc.tuple(ids, fc.boolean()), { maxLength: 3 })
  .map((chosen) => [...new Map(chosen)])
  .map((chosen) => [true, false].map((side) => chosen.filter(([, agreed]) => agreed === side).map(([id]) => id)));
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
  vendors: fc.tuple(sides, sides).map(([[enabled, disabled], [enabled_li, disabled_li]]) => ({
    enabled,
    disabled,
    enabled_li,
    disabled_li,
  })),
  tcfcs: fc.option(fc.string(), { nil: null }),
});

/** Events of one user in three partitions, many of them at the same time, and some ways they can arrive. */
const history = fc
  .array(
    fc.record({
      partition: fc.nat(2),
      time: fc.nat(3),
      status: fc.constantFrom('confirmed' as const, 'confirmed' as const, 'pending_approval' as const),
      consents,
      user: fc.record({
        metadata: fc.option(fc.dictionary(ids, fc.nat(2)), { nil: null }),
        country: fc.constantFrom('FR', null),
      }),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((given) => {
    const offsets = [0, 0, 0];
    return given.map(({ partition, time, status, consents: chosen, user }) => {
      const offset = offsets[partition] ?? 0;
      offsets[partition] = offset + 1;
      return event({ partition, offset }, arrivedAt - 10_000 + time, chosen, { status, user: { id: 'u1', ...user } });
    });
  });

/** Any interleaving of the partitions, each in its own order, cut into batches of one partition. */
function arrivals(events: readonly ConsentEvent[]): fc.Arbitrary<ConsentEvent[][]> {
  return fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { maxLength: 20 }).map((turns) => {
    const queues = [0, 1, 2].map((partition) => events.filter(({ position }) => position.partition === partition));
    const taken = turns.map(([partition, count]) => queues[partition]?.splice(0, count) ?? []);
    return [...taken, ...queues];
  });
}

/** What a fold must come to, told choice by choice: the last one that was made counts. */
function lastChoices(events: readonly Pick<ConsentEvent, 'consents'>[]): Record<string, unknown> {
  const last: Record<string, unknown> = {};
  const choose = (path: string, value: unknown) => {
    if (value !== null) last[path] = value;
  };
  for (const { consents: given } of events) {
    for (const { id, enabled } of given.channels) choose(`channel ${id}`, enabled);
    for (const { id, enabled, enabled_li, preferences = [] } of given.purposes) {
      choose(`purpose ${id}`, enabled);
      choose(`purpose ${id} li`, enabled_li);
      for (const preference of preferences) {
        choose(`purpose ${id} ${preference.id}`, preference.enabled);
        for (const channel of preference.channels)
          choose(`purpose ${id} ${preference.id} ${channel.id}`, channel.enabled);
      }
    }
    for (const id of given.vendors.enabled) choose(`vendor ${id}`, true);
    for (const id of given.vendors.disabled) choose(`vendor ${id}`, false);
    for (const id of given.vendors.enabled_li) choose(`vendor ${id} li`, true);
    for (const id of given.vendors.disabled_li) choose(`vendor ${id} li`, false);
    choose('tcfcs', given.tcfcs);
  }
  return last;
}

describe('fold', () => {
  it('comes to the last choice that was made of each kind', () => {
    fc.assert(
      fc.property(history, (events) => {
        const confirmed = inOrder(events);
        const state = foldEvents(confirmed);
        // A state names each id once, and each vendor on one side: it is an event whose choices are the last ones.
        expect(state ? lastChoices([state]) : {}).toEqual(lastChoices(confirmed));
        expect(state?.consents.purposes.length ?? 0).toBe(new Set(state?.consents.purposes.map(({ id }) => id)).size);
      }),
    );
  });

  it('gives one document whatever order the events arrive in', () => {
    fc.assert(
      fc.property(
        history.chain((events) => fc.tuple(fc.constant(events), arrivals(events))),
        ([events, batches]) => {
          const expected = foldEvents(inOrder(events));
          expect(record(batches)).toBe(expected && userDocument(expected));
        },
      ),
    );
  });

  it('continues from a stored document as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.array(consents, { minLength: 2, maxLength: 6 }), (given) => {
        const events = given.map((c, i) => event({ offset: i }, arrivedAt - 1000 + i, c));
        const half = foldEvents(events.slice(0, 1));
        if (half === undefined) throw new Error('no state');
        expect(foldEvents(events.slice(1), parseUserDocument(userDocument(half)))).toEqual(foldEvents(events));
      }),
    );
  });

  it('merges partial choices by id and keeps what an event does not mention', () => {
    const first = event({ offset: 0 }, arrivedAt - 2000, {
      purposes: [
        { id: 'ads', enabled: true, enabled_li: false },
        { id: 'stats', enabled: false },
      ],
    });
    const second = event({ offset: 1 }, arrivedAt - 1000, {
      purposes: [{ id: 'stats', enabled: true }, { id: 'ads' }],
    });
    expect(foldEvents([first, second])?.consents.purposes).toEqual([
      { id: 'ads', enabled: true, enabled_li: false },
      { id: 'stats', enabled: true, enabled_li: null },
    ]);
  });

  it('moves a vendor between enabled and disabled', () => {
    const first = event({ offset: 0 }, arrivedAt - 2000, { vendors: { enabled: ['google', 'x'], disabled: ['y'] } });
    const second = event({ offset: 1 }, arrivedAt - 1000, { vendors: { enabled: ['y'], disabled: ['google'] } });
    expect(foldEvents([first, second])?.consents.vendors).toEqual({
      enabled: ['x', 'y'],
      disabled: ['google'],
      enabled_li: [],
      disabled_li: [],
    });
  });

  it('leaves the state it was given as it was', () => {
    const state = foldEvents([
      event({ offset: 0 }, arrivedAt, { purposes: [{ id: 'ads', enabled: true }], vendors: { enabled: ['x'] } }),
    ]);
    const before = structuredClone(state);
    applyEvent(
      state,
      event({ offset: 1 }, arrivedAt, { purposes: [{ id: 'ads', enabled: false }], vendors: { disabled: ['x'] } }),
    );
    expect(state).toEqual(before);
  });

  it('moves many vendors as it moves few', () => {
    const vendors = Array.from({ length: 300 }, (_, i) => `v${i}`);
    const first = event({ offset: 0 }, arrivedAt - 2000, { vendors: { enabled: vendors } });
    const second = event({ offset: 1 }, arrivedAt - 1000, {
      vendors: { disabled: ['v0', 'v299'], enabled: ['x', 'v5', 'x'] },
    });
    const expected = {
      enabled: [...vendors.slice(1, 299), 'x'],
      disabled: ['v0', 'v299'],
      enabled_li: [],
      disabled_li: [],
    };
    expect(foldEvents([first, second])?.consents.vendors).toEqual(expected);
  });

  it('finds what a first event named twice, however deep, when a later one takes it back', () => {
    const twice = [{ id: 'news' }, { id: 'news', channels: [{ id: 'sms', enabled: true }] }];
    const first = event({ offset: 0 }, arrivedAt - 1000, { purposes: [{ id: 'ads', preferences: twice }] });
    const back = { id: 'ads', preferences: [{ id: 'news', channels: [{ id: 'sms', enabled: false }] }] };
    expect(foldEvents([first, event({ offset: 1 }, arrivedAt, { purposes: [back] })])?.consents.purposes).toEqual([
      { ...back, enabled: null, enabled_li: null, preferences: [{ ...back.preferences[0], enabled: null }] },
    ]);
  });

  it('takes an id named twice in one event as two choices', () => {
    const twice = event({ offset: 0 }, arrivedAt, {
      purposes: [
        { id: 'ads', enabled: true },
        { id: 'ads', enabled_li: false },
      ],
      vendors: { enabled: ['x', 'x'] },
    });
    expect(foldEvents([twice])?.consents).toMatchObject({
      purposes: [{ id: 'ads', enabled: true, enabled_li: false }],
      vendors: { enabled: ['x'] },
    });
  });

  it('keeps what an event is silent about, and takes delegate and validation from the newest', () => {
    const user = {
      id: 'u1',
      organization_user_id: 'jane',
      organization_user_id_type: 'login',
      country: 'FR',
      metadata: { a: 1, b: 1 },
    };
    const first = event(
      { offset: 0 },
      arrivedAt - 3000,
      { tcfcs: 'CP1' },
      { user, delegate: { id: 'd' }, validation: { method: 'email' } },
    );
    const silent = event({ offset: 1 }, arrivedAt - 2000, {}, { last_seen_country: 'DE' });
    const other = event({ offset: 2 }, arrivedAt - 1000, {}, { user: { id: 'u1', metadata: { a: 2 } } });
    const kept = {
      organizationUserId: 'jane',
      organizationUserIdType: 'login',
      country: 'FR',
      consents: { tcfcs: 'CP1' },
    };
    expect(foldEvents([first])).toMatchObject({ ...kept, delegate: { id: 'd' }, validation: { method: 'email' } });
    expect(foldEvents([first, silent])).toMatchObject({
      ...kept,
      metadata: { a: 1, b: 1 },
      lastSeenCountry: 'DE',
      delegate: null,
      validation: null,
    });
    const state = foldEvents([first, silent, other]);
    expect(state).toMatchObject({ ...kept, createdAt: arrivedAt - 3000, updatedAt: arrivedAt - 1000 });
    expect(state?.metadata).toEqual({ a: 2 });
  });

  it('never takes an effective time after the arrival', () => {
    const future = event({ offset: 0 }, Date.parse('2099-01-01T00:00:00Z'), {});
    expect(future.effectiveAt).toBe(arrivedAt);
    expect(new Date(future.createdAt).getUTCFullYear()).toBe(2099);
  });
});
