import type { DeliveredLine, DeliveredRun, Positions } from './delivery';
import { expectedEvent, expectedUser, type Expected } from './expected-documents';
import { judge, type Verdict } from './judge';
import { eventsTopic, Ledger } from './ledger';
import type { WireEvent } from './wire-event';

const arrival = Date.UTC(2026, 0, 1);

function event(id: string, user: string, more: Partial<WireEvent> = {}): WireEvent {
  return {
    organization_id: 'acme',
    id,
    source: 'api',
    user: { id: user, organization_user_id: `${user}@x.io` },
    consents: { purposes: [{ id: 'cookies', enabled: id.length % 2 === 0 }] },
    ...more,
  };
}

/** A ledger whose events stand one after the other in partition 0. */
function produce(...events: WireEvent[]): { ledger: Ledger; sent: Expected[] } {
  const ledger = new Ledger();
  const sent = events.map((each, offset): Expected => {
    const produced = ledger.event(each);
    const place = { epoch: 1, partition: 0, offset: BigInt(offset), arrivedAt: arrival + offset };
    produced.places.push(place);
    return { event: each, via: 'kafka', place };
  });
  return { ledger, sent };
}

const at = (offset: number): Positions =>
  offset === 0 ? {} : { [eventsTopic]: { 0: { epoch: 1, offset: String(offset) } } };

/** A correct line: the state of `history`, and those of its events that lie in the window. */
function line(history: Expected[], events = history): DeliveredLine {
  return {
    user: { id: history[0]?.event.user?.id, ...expectedUser(history) },
    events: events.map((each) => expectedEvent(each)),
  };
}

function run(
  name: string,
  from: number,
  to: number,
  lines: DeliveredLine[],
  more: Partial<DeliveredRun> = {},
): DeliveredRun {
  return {
    run: name,
    organizationId: 'acme',
    exportId: 'x1',
    folder: 'f/',
    from: at(from),
    to: at(to),
    lines,
    ...more,
  };
}

function verdictOn(ledger: Ledger, runs: DeliveredRun[], includeGuests = false): Verdict {
  return judge(ledger, {
    organizationId: 'acme',
    exportId: 'x1',
    includeGuests,
    delivery: { runs, faults: [], unfinished: [] },
  });
}

const none = { lost: 0, doubled: 0, misrouted: 0, outOfWindow: 0, altered: 0, wrongUsers: 0, broken: 0 };

describe('a correct delivery', () => {
  it('has no faults, in one run or in several', () => {
    const { ledger, sent } = produce(event('a', 'u1'), event('bb', 'u2'), event('ccc', 'u1'));
    const [a, b, c] = sent as [Expected, Expected, Expected];
    expect(verdictOn(ledger, [run('r1', 0, 3, [line([a, c]), line([b])])])).toMatchObject({
      ...none,
      ok: true,
      delivered: 3,
      users: 2,
    });
    const twoRuns = [run('r1', 0, 2, [line([a]), line([b])]), run('r2', 2, 3, [line([a, c], [c])])];
    expect(verdictOn(ledger, twoRuns)).toMatchObject({ ...none, ok: true, expected: 3, delivered: 3, runs: 2 });
  });

  it('may leave out pending events, guests, other regulations, repetitions and poison', () => {
    const { ledger, sent } = produce(
      event('a', 'u1'),
      event('p', 'u1', { status: 'pending_approval' }),
      event('o', 'u1', { regulation: 'ccpa' }),
      event('g', 'guest', { source: 'sdk-web', user: { id: 'guest' } }),
      event('a', 'u1'),
    );
    ledger.poison().places.push({ epoch: 1, partition: 0, offset: 5n, arrivedAt: arrival });
    const [a, , , guest] = sent as [Expected, Expected, Expected, Expected];
    expect(verdictOn(ledger, [run('r1', 0, 6, [line([a])])])).toMatchObject({
      ...none,
      ok: true,
      produced: 6,
      expected: 1,
      withheld: { pending: 1, otherRegulation: 1, guests: 1 },
    });
    expect(verdictOn(ledger, [run('r1', 0, 6, [line([a]), line([guest])])], true)).toMatchObject({
      ...none,
      ok: true,
      expected: 2,
    });
  });

  it('repeats the user when one line cannot hold his events', () => {
    const { ledger, sent } = produce(event('a', 'u1'), event('bb', 'u1'));
    const [a, b] = sent as [Expected, Expected];
    expect(verdictOn(ledger, [run('r1', 0, 2, [line(sent, [a]), line(sent, [b])])])).toMatchObject({
      ...none,
      ok: true,
      users: 1,
    });
  });

  it('may have either of two events with one id from two partitions, but not their mixture', () => {
    const ledger = new Ledger();
    const places = [0, 1].map((partition) => ({ epoch: 1, partition, offset: 0n, arrivedAt: arrival + partition }));
    const both = places.map((place, n): Expected => {
      const each = event('same', `u${n}`);
      ledger.event(each).places.push(place);
      return { event: each, via: 'kafka', place };
    });
    const to: Positions = { [eventsTopic]: { 0: { epoch: 1, offset: '1' }, 1: { epoch: 1, offset: '1' } } };
    const deliveredOf = (lines: DeliveredLine[]) => verdictOn(ledger, [run('r1', 0, 1, lines, { to })]);
    for (const winner of both) expect(deliveredOf([line([winner])])).toMatchObject({ ...none, ok: true });
    expect(deliveredOf(both.map((each) => line([each])))).toMatchObject({ doubled: 1, ok: false });
    const [one, other] = both as [Expected, Expected];
    expect(deliveredOf([{ ...line([one]), events: line([other]).events }])).toMatchObject({ ok: false });
  });
});

describe('a faulty delivery', () => {
  const { ledger, sent } = produce(event('a', 'u1'), event('bb', 'u2'), event('ccc', 'u1'));
  const [a, b, c] = sent as [Expected, Expected, Expected];
  const good = [line([a, c]), line([b])];

  it('without an event has lost it', () => {
    const verdict = verdictOn(ledger, [run('r1', 0, 3, [line([a, c])])]);
    expect(verdict).toMatchObject({ ...none, lost: 1, ok: false, faults: [{ kind: 'lost', what: 'bb' }] });
  });

  it('that ends before an event has lost it too', () => {
    expect(verdictOn(ledger, [run('r1', 0, 2, [line([a]), line([b])])])).toMatchObject({ ...none, lost: 1 });
  });

  it('with an event twice has doubled it, in one run or in two', () => {
    expect(verdictOn(ledger, [run('r1', 0, 3, [...good, line([b])])])).toMatchObject({ ...none, doubled: 1 });
    const twice = verdictOn(ledger, [run('r1', 0, 3, good), run('r2', 3, 3, [line([b])])]);
    expect(twice).toMatchObject({ doubled: 1, outOfWindow: 1, ok: false });
  });

  it.each([
    ['another organization', event('x', 'u9', { organization_id: 'other' })],
    ['nobody who produced it', event('never', 'u9')],
  ])('with an event of %s has misrouted it', (_whose, stranger) => {
    const other = produce(event('a', 'u1'), event('bb', 'u2'), event('ccc', 'u1'));
    if (stranger.id === 'x')
      other.ledger.event(stranger).places.push({ epoch: 1, partition: 0, offset: 3n, arrivedAt: arrival });
    const foreign: Expected = {
      event: stranger,
      via: 'kafka',
      place: { epoch: 1, partition: 0, offset: 3n, arrivedAt: arrival },
    };
    const verdict = verdictOn(other.ledger, [run('r1', 0, 4, [...good, line([foreign])])]);
    expect(verdict).toMatchObject({ misrouted: 2, lost: 0, ok: false }); // the event, and its user
  });

  it.each([
    ['pending', { status: 'pending_approval' }],
    ['of another regulation', { regulation: 'ccpa' }],
    ['of a guest', { source: 'sdk-web', user: { id: 'u3' } }],
  ])('with an event that is %s has misrouted it', (_what, more) => {
    const some = produce(event('a', 'u1'), event('dd', 'u1', more));
    const [first, second] = some.sent as [Expected, Expected];
    const lines = [{ ...line([first]), events: [expectedEvent(first), expectedEvent(second)] }];
    expect(verdictOn(some.ledger, [run('r1', 0, 2, lines)])).toMatchObject({ misrouted: 1, lost: 0, ok: false });
  });

  it('under another export, another organization or another user has misrouted it', () => {
    expect(verdictOn(ledger, [run('r1', 0, 3, good, { exportId: 'x2' })])).toMatchObject({ ...none, misrouted: 1 });
    expect(verdictOn(ledger, [run('r1', 0, 3, good, { organizationId: 'other' })])).toMatchObject({
      ...none,
      misrouted: 1,
    });
    const mixed = [line([a, c], [a]), { ...line([b]), events: [expectedEvent(b), expectedEvent(c)] }];
    expect(verdictOn(ledger, [run('r1', 0, 3, mixed)])).toMatchObject({ ...none, misrouted: 1 });
  });

  it('outside of the window that holds its place is told', () => {
    const late = [run('r1', 0, 2, [line([a]), line([b])]), run('r2', 2, 2, [line([a, c], [c])])];
    expect(verdictOn(ledger, late)).toMatchObject({ outOfWindow: 1, ok: false });
    const early = verdictOn(ledger, [run('r1', 1, 3, good)]);
    expect(early).toMatchObject({ ...none, outOfWindow: 1 });
  });

  it('of another epoch is out of its window', () => {
    const to: Positions = { [eventsTopic]: { 0: { epoch: 2, offset: '1' } } };
    const from: Positions = { [eventsTopic]: { 0: { epoch: 2, offset: '0' } } };
    expect(verdictOn(ledger, [run('r1', 0, 3, good, { from, to })])).toMatchObject({ outOfWindow: 3, ok: false });
  });

  it('with a changed event or a wrong state says which fields', () => {
    const [changed] = good as [DeliveredLine];
    const first = { ...changed.events[0], metadata: { page: 'other' } };
    const altered = verdictOn(ledger, [
      run('r1', 0, 3, [{ ...changed, events: [first, ...changed.events.slice(1)] }, line([b])]),
    ]);
    expect(altered).toMatchObject({
      ...none,
      altered: 1,
      faults: [{ kind: 'altered', what: 'a in run r1: metadata.page is "other" instead of undefined' }],
    });
    const state = { ...changed, user: { ...changed.user, version: 1 } };
    const wrong = verdictOn(ledger, [run('r1', 0, 3, [state, line([b])])]);
    expect(wrong).toMatchObject({
      ...none,
      wrongUsers: 1,
      faults: [{ kind: 'wrongUsers', what: 'user u1 in run r1: version is 1 instead of 2' }],
    });
  });

  it('may leave out a list of no preferences, and nothing else', () => {
    const leaveOut = (name: string) => {
      const [first] = JSON.parse(JSON.stringify(good)) as [
        { user: { consents: { purposes: Record<string, unknown>[] } } },
      ];
      delete first.user.consents.purposes[0]?.[name];
      return verdictOn(ledger, [run('r1', 0, 3, [{ ...line([a, c]), user: first.user }, line([b])])]);
    };
    expect(leaveOut('preferences')).toMatchObject({ ...none, ok: true });
    expect(leaveOut('enabled_li')).toMatchObject({ ...none, wrongUsers: 1 });
  });

  it('with the state of a later time is wrong', () => {
    const runs = [run('r1', 0, 2, [line([a, c], [a]), line([b])]), run('r2', 2, 3, [line([a, c], [c])])];
    expect(verdictOn(ledger, runs)).toMatchObject({ ...none, wrongUsers: 1 });
  });

  it('with broken files is told', () => {
    const delivery = { runs: [run('r1', 0, 3, good)], faults: ['half a file'], unfinished: [] };
    expect(judge(ledger, { organizationId: 'acme', exportId: 'x1', delivery })).toMatchObject({
      ...none,
      broken: 1,
      ok: false,
    });
  });
});

describe('the ledger', () => {
  it('finds what it sent by number, and REST events by their id', () => {
    const ledger = new Ledger();
    ledger.event(event('a', 'u1'));
    ledger.poison();
    ledger.event(event('r', 'u1'), 'rest');
    ledger.event(event('gone', 'u1'));
    const message = (offset: number, headers: Record<string, string>, value = '') => ({
      partition: 0,
      offset: BigInt(offset),
      arrivedAt: arrival,
      value: Buffer.from(value),
      headers,
    });
    ledger.locate([
      message(0, { 'oracle-number': '0' }),
      message(1, { 'oracle-number': '1' }, '{{{'),
      message(2, {}, JSON.stringify(event('r', 'u1'))),
      message(3, {}, 'whose?'),
      message(4, { 'oracle-number': '0' }),
    ]);
    expect(ledger.produced.map(({ places }) => places.map(({ offset }) => Number(offset)))).toEqual([
      [0, 4],
      [1],
      [2],
      [],
    ]);
    expect(ledger.strangers).toBe(1);
    expect(ledger.unlogged).toHaveLength(1);
  });
});
