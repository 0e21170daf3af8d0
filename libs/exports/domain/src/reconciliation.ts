import { type Cadence, dueTimesBetween, nextDue, utcDay } from './cadence';
import { behind, furthest, hasReached, parsePositions, type Positions, samePositions } from './positions';
import type { RunStatus, RunTrigger } from './results';
import type { StoredManifest } from './verification';
import type { Window } from './window';

/** A valid manifest in an integration's bucket. */
export interface FoundManifest extends StoredManifest {
  readonly key: string;
  /** Its folder has `_SUCCESS`. */
  readonly complete: boolean;
}

/** Files of a run that has no manifest. */
export interface StrayRun {
  readonly run: string;
  /** Of the folder that they are in. */
  readonly date: string;
  /** One more than the highest number of a file. */
  readonly files: number;
}

/** What the database knows of an integration. */
export interface KnownIntegration {
  readonly runs: ReadonlyMap<string, RunStatus>;
  readonly plannedTo: Positions;
  readonly plannedToAt: Date | undefined;
  readonly cadence: Cadence;
  readonly nextDueAt: Date | undefined;
}

/** A run that was planned, of which nobody knows more than this. */
export interface LostRun {
  /** Where it is known: the run then ends up under the keys that it had. */
  readonly id: string | undefined;
  readonly window: Window;
  readonly windowFromAt: Date | undefined;
  readonly windowToAt: Date;
  readonly trigger: RunTrigger;
  readonly dueTimes: readonly Date[];
  readonly date: string;
  readonly filesOpened: number;
}

/** A run that the database lacks. In the order in which they were planned. */
export type LackingRun =
  | { readonly kind: 'delivered'; readonly found: FoundManifest }
  /** Its manifest is there, but nothing says that it was complete: the same run writes the same files again. */
  | { readonly kind: 'unfinished'; readonly found: FoundManifest }
  | { readonly kind: 'lost'; readonly run: LostRun };

/** What makes the database agree with the bucket. Nothing of it goes backwards. */
export interface Reconciliation {
  readonly lacking: readonly LackingRun[];
  /** Known runs that were delivered, other than the database says. */
  readonly settled: readonly FoundManifest[];
  readonly plannedTo: Positions;
  readonly plannedToAt: Date | undefined;
  readonly nextDueAt: Date | undefined;
  /** What the next manifest chains to; `undefined` leaves what the database has. */
  readonly last: FoundManifest | undefined;
  /** Sentences: what is contradictory, or cannot be put right. */
  readonly notes: readonly string[];
}

/**
 * Compares what the database knows of one integration with all valid manifests of its bucket. Windows that lie between
 * delivered ones and that no manifest covers were planned and not delivered: they become runs again.
 *
 * Repeatable: applied, the same question has the answer that nothing is to be done.
 */
export function reconcile(
  known: KnownIntegration,
  manifests: readonly FoundManifest[],
  strays: readonly StrayRun[],
): Reconciliation {
  const found = [...manifests].sort(byWindow);
  const delivered = new Set(found.filter((each) => isDelivered(each, found, known)).map(idOf));
  const walk = new Walk(known, strays, new Set(found.map(idOf)));
  for (const each of found) {
    if (!known.runs.has(idOf(each))) walk.pass(each, delivered.has(idOf(each)));
  }
  walk.end();
  const settled = found.filter(
    (each) => delivered.has(idOf(each)) && ![undefined, 'completed'].includes(known.runs.get(idOf(each))),
  );
  const head = headOf(found.filter((each) => delivered.has(idOf(each))));
  const isNews = head !== undefined && known.runs.get(idOf(head)) !== 'completed';
  return { ...walk.result(), settled, last: isNews ? head : undefined };
}

/** Follows the windows of the runs that the database lacks, from where it planned last. */
class Walk {
  private readonly lacking: LackingRun[] = [];
  private readonly notes: string[] = [];
  private readonly strays: Map<string, StrayRun>;
  private at: Positions;
  private reachedAt: Date | undefined;
  private due: Date | undefined;

  constructor(
    private readonly known: KnownIntegration,
    strays: readonly StrayRun[],
    private readonly accounted: Set<string>,
  ) {
    this.at = known.plannedTo;
    this.reachedAt = known.plannedToAt;
    this.due = known.nextDueAt;
    this.strays = new Map(strays.filter(({ run }) => !known.runs.has(run)).map((stray) => [stray.run, stray]));
  }

  pass(found: FoundManifest, delivered: boolean): void {
    const { window, run, missing } = found.manifest;
    const from = parsePositions(window.from);
    if (behind(from, this.at).length > 0) {
      this.notes.push(`Run ${run} overlaps with what was planned before: what is in both was delivered twice.`);
    }
    this.fillUpTo(from, found, missing);
    this.lacking.push({ kind: delivered ? 'delivered' : 'unfinished', found });
    this.at = furthest(this.at, parsePositions(window.to));
    this.reachedAt = later(this.reachedAt, new Date(window.to_at));
    this.passDueTimes(found);
  }

  /** Files of runs that nothing else tells of. What they were to deliver is in the next window that is planned. */
  end(): void {
    for (const stray of [...this.strays.values()].sort((a, b) => (a.run < b.run ? -1 : 1))) {
      if (!this.accounted.has(stray.run)) this.adopt(stray.run, { from: this.at, to: this.at }, this.reachedAt, []);
    }
  }

  result() {
    const { lacking, notes } = this;
    return { lacking, notes, plannedTo: this.at, plannedToAt: this.reachedAt, nextDueAt: this.due };
  }

  /** The windows that were planned between the last run and this one, as one; how they were cut is not known. */
  private fillUpTo(from: Positions, before: FoundManifest, missing: readonly string[]): void {
    const to = furthest(this.at, from);
    const lost = missing.filter((run) => !this.known.runs.has(run) && !this.accounted.has(run)).sort();
    const until = new Date(before.manifest.window.from_at ?? before.manifest.window.to_at);
    const dueTimes = this.dueTimesBefore(before);
    if (!samePositions(this.at, to)) {
      this.adopt(lost.shift(), { from: this.at, to }, until, dueTimes);
    }
    for (const run of lost) this.adopt(run, { from: to, to }, until, []);
  }

  private adopt(run: string | undefined, window: Window, at: Date | undefined, dueTimes: readonly Date[]): void {
    const stray = run === undefined ? undefined : this.strays.get(run);
    const windowToAt = at ?? this.known.cadence.anchorAt;
    const [last = windowToAt] = dueTimes.slice(-1);
    if (run !== undefined) this.accounted.add(run);
    this.lacking.push({
      kind: 'lost',
      run: {
        id: run,
        window,
        windowFromAt: this.reachedAt,
        windowToAt,
        trigger: dueTimes.length > 0 ? 'schedule' : 'manual',
        dueTimes: dueTimes.length > 0 ? dueTimes : [last],
        date: stray?.date ?? utcDay(last),
        filesOpened: stray?.files ?? 0,
      },
    });
    this.at = window.to;
    this.reachedAt = later(this.reachedAt, windowToAt);
  }

  private dueTimesBefore({ manifest }: FoundManifest): Date[] {
    const first = new Date(manifest.due_times[0] ?? manifest.due_at);
    if (this.due === undefined || manifest.trigger === 'manual') return [];
    return dueTimesBetween(this.known.cadence, this.due, new Date(first.getTime() - 1));
  }

  private passDueTimes({ manifest }: FoundManifest): void {
    if (this.due === undefined || manifest.trigger === 'manual') return;
    this.due = later(this.due, nextDue(this.known.cadence, new Date(manifest.due_at)));
  }
}

/** Its folder says so, a later manifest does, or the database knows it. */
function isDelivered(each: FoundManifest, found: readonly FoundManifest[], known: KnownIntegration): boolean {
  const named = found.some(({ manifest: { previous } }) => previous?.run === idOf(each));
  return each.complete || named || known.runs.get(idOf(each)) === 'completed';
}

/** The one that no other follows. */
function headOf(delivered: readonly FoundManifest[]): FoundManifest | undefined {
  const followed = new Set(delivered.map(({ manifest: { previous } }) => previous?.run));
  return delivered.filter((each) => !followed.has(idOf(each))).at(-1);
}

function idOf({ manifest }: FoundManifest): string {
  return manifest.run;
}

function byWindow(a: FoundManifest, b: FoundManifest): number {
  return comparePositions(a, b, 'from') || comparePositions(a, b, 'to') || (idOf(a) < idOf(b) ? -1 : 1);
}

function comparePositions(a: FoundManifest, b: FoundManifest, end: 'from' | 'to'): number {
  return compareEnds(parsePositions(a.manifest.window[end]), parsePositions(b.manifest.window[end]));
}

function later(a: Date | undefined, b: Date): Date {
  return a === undefined || b > a ? b : a;
}

/**
 * Where the windows of these manifests begin and end, as far as it lies beyond what is recorded: one after the other, as
 * all partitions passed them together. Whatever is recorded again has to keep to it.
 */
export function bordersOf(manifests: readonly FoundManifest[], recorded: Positions): Positions[] {
  const ends = manifests
    .flatMap(({ manifest: { window } }) => [parsePositions(window.from), parsePositions(window.to)])
    .filter((end) => !hasReached(recorded, end))
    .sort(compareEnds);
  const borders: Positions[] = [];
  for (const end of ends) {
    const before = borders.at(-1) ?? {};
    const border = furthest(before, end);
    if (!samePositions(before, border)) borders.push(border);
  }
  return borders;
}

/** All windows end at moments, and no partition ever goes back: of two ends one has reached the other. */
function compareEnds(a: Positions, b: Positions): number {
  return samePositions(a, b) ? 0 : hasReached(b, a) ? -1 : 1;
}
