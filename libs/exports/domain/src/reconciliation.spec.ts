import * as fc from 'fast-check';
import type { Manifest } from './manifest';
import { formatPositions, type Positions, samePositions, toPositions } from './positions';
import { bordersOf, type FoundManifest, type KnownIntegration, reconcile, type StrayRun } from './reconciliation';
import type { RunStatus } from './results';
import type { Window } from './window';

const DAY = 86_400_000;
const anchorAt = new Date('2026-03-02T03:00:00Z');
const cadence = { anchorAt, everyDays: 1 };
const dueAt = (number: number) => new Date(anchorAt.getTime() + number * DAY);
const at = (first: number, second = first): Positions =>
  toPositions([
    { topic: 't', partition: 0, epoch: 1, offset: BigInt(first) },
    { topic: 't', partition: 1, epoch: 1, offset: BigInt(second) },
  ]);

type Fate = 'delivered' | 'failed' | 'half' | 'noMarker';

interface Past {
  id: string;
  window: Window;
  fate: Fate;
  due: Date;
  trigger: 'schedule' | 'manual';
}

const runId = (number: number) => `run-${String(number).padStart(3, '0')}`;

/** Runs as they were planned and ended before the database was lost: one a day, each from where the last one ended. */
function history(fates: readonly Fate[]): Past[] {
  return fates.map((fate, number) => ({
    id: runId(number),
    window: { from: at(10 * number, 7 * number), to: at(10 * (number + 1), 7 * (number + 1)) },
    fate,
    due: dueAt(number),
    trigger: 'schedule',
  }));
}

const blank: Omit<Manifest, 'run' | 'date' | 'window' | 'due_at' | 'due_times' | 'trigger' | 'previous' | 'missing'> = {
  manifest_version: 1,
  organization_id: 'acme',
  export_id: 'e1',
  content: 'consent-users',
  schema_version: 1,
  complete_until: null,
  files: [],
  totals: { files: 0, bytes: 0, rows: 0, users: 0, events: 0 },
  erased: [],
  signature: { algorithm: 'Ed25519', key_id: 'k1', value: '' },
};

/** What the bucket holds of them: a manifest names the one before that was completed, and those that were missing. */
function bucketOf(past: readonly Past[]): { manifests: FoundManifest[]; strays: StrayRun[] } {
  const manifests: FoundManifest[] = [];
  const strays: StrayRun[] = [];
  const missing: string[] = [];
  let previous: Manifest['previous'] = null;
  for (const { id, window, fate, due, trigger } of past) {
    const date = due.toISOString().slice(0, 10);
    if (fate === 'half') strays.push({ run: id, date, files: 3 });
    if (fate === 'failed' || fate === 'half') {
      missing.push(id);
      continue;
    }
    const manifest: Manifest = {
      ...blank,
      run: id,
      date,
      window: {
        from: formatPositions(window.from),
        to: formatPositions(window.to),
        from_at: new Date(due.getTime() - DAY).toISOString(),
        to_at: due.toISOString(),
      },
      due_at: due.toISOString(),
      due_times: [due.toISOString()],
      trigger,
      previous,
      missing: [...missing],
    };
    const complete = fate === 'delivered';
    manifests.push({
      manifest,
      sha256: `hash of ${id}`,
      key: `_manifest-${id}`,
      complete,
    });
    if (complete) previous = { run: id, sha256: `hash of ${id}` };
    else missing.push(id);
  }
  return { manifests, strays };
}

/** What the database knew when the first `count` of them were planned. */
function known(
  past: readonly Past[],
  count: number,
  statuses: Partial<Record<string, RunStatus>> = {},
): KnownIntegration {
  const planned = past.slice(0, count);
  const statusOf = ({ id, fate }: Past): RunStatus =>
    statuses[id] ?? (fate === 'delivered' ? 'completed' : fate === 'failed' ? 'failed' : 'retrying');
  return {
    runs: new Map(planned.map((run) => [run.id, statusOf(run)])),
    plannedTo: planned.at(-1)?.window.to ?? at(0),
    plannedToAt: planned.at(-1)?.due,
    cadence,
    nextDueAt: dueAt(count),
  };
}

function answer(fates: readonly Fate[], count: number, statuses: Partial<Record<string, RunStatus>> = {}) {
  const past = history(fates);
  const { manifests, strays } = bucketOf(past);
  return reconcile(known(past, count, statuses), manifests, strays);
}

const windowsOf = (found: ReturnType<typeof reconcile>) =>
  found.lacking.map((each) =>
    each.kind === 'lost'
      ? { id: each.run.id, from: formatPositions(each.run.window.from), to: formatPositions(each.run.window.to) }
      : { id: each.found.manifest.run, from: each.found.manifest.window.from, to: each.found.manifest.window.to },
  );

describe('reconcile', () => {
  it('takes over what was delivered since, and goes on after it', () => {
    const found = answer(['delivered', 'delivered', 'delivered'], 1);
    expect(found.lacking.map(({ kind }) => kind)).toEqual(['delivered', 'delivered']);
    expect(samePositions(found.plannedTo, at(30, 21))).toBe(true);
    expect(found.plannedToAt).toEqual(dueAt(2));
    expect(found.nextDueAt).toEqual(dueAt(3));
    expect(found.last?.manifest.run).toBe('run-002');
    expect(found.notes).toEqual([]);
  });

  it('plans a run again that was lost between two deliveries, under its own id', () => {
    const found = answer(['delivered', 'failed', 'delivered'], 1);
    expect(found.lacking).toMatchObject([
      {
        kind: 'lost',
        run: { id: 'run-001', trigger: 'schedule', date: '2026-03-03', dueTimes: [dueAt(1)], filesOpened: 0 },
      },
      { kind: 'delivered' },
    ]);
    expect(windowsOf(found)[0]).toMatchObject({ from: formatPositions(at(10, 7)), to: formatPositions(at(20, 14)) });
  });

  it('makes one run of several, and lets the others deliver nothing', () => {
    const found = answer(['delivered', 'failed', 'half', 'delivered'], 1);
    expect(windowsOf(found)).toMatchObject([
      { id: 'run-001', from: formatPositions(at(10, 7)), to: formatPositions(at(30, 21)) },
      { id: 'run-002', from: formatPositions(at(30, 21)), to: formatPositions(at(30, 21)) },
      { id: 'run-003' },
    ]);
    expect(found.lacking[0]).toMatchObject({ run: { dueTimes: [dueAt(1), dueAt(2)] } });
    expect(found.lacking[1]).toMatchObject({ run: { filesOpened: 3, date: '2026-03-04' } });
  });

  it('leaves the window of a run that nothing followed to the next one, but not its files', () => {
    const found = answer(['delivered', 'delivered', 'half'], 1);
    expect(windowsOf(found)[1]).toMatchObject({
      id: 'run-002',
      from: formatPositions(at(20, 14)),
      to: formatPositions(at(20, 14)),
    });
    expect(samePositions(found.plannedTo, at(20, 14))).toBe(true);
    expect(found.nextDueAt).toEqual(dueAt(2));
  });

  it('repeats a run whose manifest is there and of which nothing says that it was complete', () => {
    const found = answer(['delivered', 'noMarker'], 1);
    expect(found.lacking).toMatchObject([{ kind: 'unfinished' }]);
    expect(found.last).toBeUndefined();
    expect(samePositions(found.plannedTo, at(20, 14))).toBe(true);
  });

  it('takes a run for delivered that a later manifest follows, whatever its folder says', () => {
    const past = history(['delivered', 'delivered', 'delivered']);
    const manifests = bucketOf(past).manifests.map((each, n) => ({ ...each, complete: n === 2 }));
    expect(reconcile(known(past, 0), manifests, []).lacking.map(({ kind }) => kind)).toEqual(
      Array(3).fill('delivered'),
    );
  });

  it('settles a run that was under way, waited or had failed', () => {
    for (const status of ['running', 'retrying', 'pending', 'failed', 'cancelled'] as const) {
      const found = answer(['delivered', 'delivered'], 2, { 'run-001': status });
      expect(found.settled.map(({ manifest }) => manifest.run)).toEqual(['run-001']);
      expect(found.lacking).toEqual([]);
      expect(found.last?.manifest.run).toBe('run-001');
    }
  });

  it('has nothing to say of what the database knows, and takes nothing back', () => {
    const past = history(['delivered', 'failed', 'delivered']);
    const before = known(past, 3);
    for (const manifests of [bucketOf(past).manifests, [], bucketOf(past).manifests.slice(0, 1)]) {
      const { lacking, settled, last, plannedTo, nextDueAt } = reconcile(before, manifests, []);
      expect({ lacking, settled, last }).toEqual({ lacking: [], settled: [], last: undefined });
      expect(samePositions(plannedTo, before.plannedTo)).toBe(true);
      expect(nextDueAt).toEqual(before.nextDueAt);
    }
  });

  it('says what was delivered twice', () => {
    const past = history(['delivered', 'delivered']);
    const [, second] = bucketOf(past).manifests;
    const planned = { ...known(past, 1), plannedTo: at(15, 9) };
    expect(reconcile(planned, second === undefined ? [] : [second], []).notes).toEqual([
      expect.stringContaining('run-001 overlaps'),
    ]);
  });

  it('leaves a paused schedule without a due time', () => {
    const past = history(['delivered', 'delivered']);
    const paused = { ...known(past, 1), nextDueAt: undefined };
    expect(reconcile(paused, bucketOf(past).manifests, []).nextDueAt).toBeUndefined();
  });
});

it('whatever was lost: each position is in one run, delivered ones are not repeated, and there is no second answer', () => {
  const fate = fc.constantFrom<Fate>('delivered', 'delivered', 'failed', 'half', 'noMarker');
  fc.assert(
    fc.property(fc.array(fate, { maxLength: 9 }), fc.nat(9), (fates, backup) => {
      const past = history(fates);
      const count = Math.min(backup, past.length);
      const { manifests, strays } = bucketOf(past);
      const before = known(past, count);
      const found = reconcile(before, manifests, strays);

      let reached = before.plannedTo;
      for (const { from, to } of windowsOf(found)) {
        expect(from).toEqual(formatPositions(reached));
        reached = toPositions(
          Object.entries(to['t'] ?? {}).map(([partition, { epoch, offset }]) => ({
            topic: 't',
            partition: Number(partition),
            epoch,
            offset: BigInt(offset),
          })),
        );
      }
      expect(formatPositions(found.plannedTo)).toEqual(formatPositions(reached));
      const end = past.findLast(({ fate: each }) => each === 'delivered' || each === 'noMarker');
      const furthest = end === undefined || past.indexOf(end) < count ? before.plannedTo : end.window.to;
      expect(samePositions(found.plannedTo, furthest)).toBe(true);

      const repeated = found.lacking.flatMap((each) => (each.kind === 'delivered' ? [] : [each]));
      const deliveredIds = past.filter(({ fate: each }) => each === 'delivered').map(({ id }) => id);
      for (const each of repeated) {
        expect(deliveredIds).not.toContain(each.kind === 'lost' ? each.run.id : each.found.manifest.run);
      }
      const ids = windowsOf(found).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);

      const after: KnownIntegration = {
        ...before,
        ...found,
        runs: new Map([
          ...before.runs,
          ...found.lacking.map((each): [string, RunStatus] =>
            each.kind === 'lost'
              ? [each.run.id ?? 'new', 'pending']
              : [each.found.manifest.run, each.kind === 'delivered' ? 'completed' : 'pending'],
          ),
          ...found.settled.map(({ manifest }): [string, RunStatus] => [manifest.run, 'completed']),
        ]),
      };
      const again = reconcile(after, manifests, strays);
      expect({ ...again, plannedTo: formatPositions(again.plannedTo) }).toMatchObject({
        lacking: [],
        settled: [],
        last: undefined,
        plannedTo: formatPositions(found.plannedTo),
        nextDueAt: found.nextDueAt,
      });
    }),
    { numRuns: 500 },
  );
});

it('borders are where windows begin and end, in order, beyond what is recorded', () => {
  const past = history(['delivered', 'failed', 'failed', 'delivered', 'delivered']);
  const { manifests } = bucketOf(past);
  const borders = bordersOf([...manifests].reverse(), at(10, 7)).map(formatPositions);
  expect(borders).toEqual([at(30, 21), at(40, 28), at(50, 35)].map(formatPositions));
  expect(bordersOf(manifests, at(45, 30)).map(formatPositions)).toEqual([formatPositions(at(50, 35))]);
  expect(bordersOf(manifests, at(50, 35))).toEqual([]);
});
