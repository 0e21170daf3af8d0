import { type DeliveredLine, type DeliveredRun, type Delivery, isBefore, isInside } from './delivery';
import { type Expected, expectedEvent, expectedUser, isGuest } from './expected-documents';
import { eventsTopic, type Ledger } from './ledger';
import { differences, nameOf, type Occurrence, pickWinners, userName } from './winners';

/** An export as the oracle knows it: whose it is, and what was found in its bucket. */
export interface JudgedExport {
  organizationId: string;
  exportId: string;
  includeGuests?: boolean;
  delivery: Delivery;
}

export const faultKinds = ['lost', 'doubled', 'misrouted', 'outOfWindow', 'altered', 'wrongUsers', 'broken'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  kind: FaultKind;
  /** The event, the user or the file, and what is wrong with it. */
  what: string;
}

export interface Verdict extends Record<FaultKind, number> {
  /** Messages the oracle sent: events, repetitions and poison. */
  produced: number;
  /** Different events that should be in the deliveries. */
  expected: number;
  /** Different events that must not be in the deliveries, and why. */
  withheld: { pending: number; otherRegulation: number; guests: number };
  /** Different events found in the deliveries. */
  delivered: number;
  /** Different users found in the deliveries. */
  users: number;
  runs: number;
  /** Nothing is lost, doubled, misrouted, out of its window, altered, wrong or broken. */
  ok: boolean;
  /** The first of each kind. */
  faults: Fault[];
}

const faultsTold = 10;

/**
 * Judges what was found in an export's bucket against what was produced. Everything in the ledger counts: an event that
 * no run's window reaches yet is lost, so ask when all should have been delivered.
 *
 * - lost: should be in a run, and is in none
 * - doubled: further occurrences of one (id, version)
 * - misrouted: another organization's, another export's, pending, of a guest, of another regulation, under another user,
 *   or never produced at all
 * - outOfWindow: in a run whose window does not contain the event's place in the log
 * - altered: an event whose document is not what was sent; wrongUsers: a user whose state is not what his events add up to
 * - broken: half files, stray files, missing files
 */
export function judge(ledger: Ledger, judged: JudgedExport): Verdict {
  return new Judgement(ledger, judged).verdict();
}

class Judgement {
  private readonly found: Fault[] = [];
  private readonly seen = new Map<string, Occurrence[]>();
  private readonly winners: Map<string, Expected>;
  private readonly byUser: Map<string, Expected[]>;
  private readonly users = new Set<string>();
  private readonly runs: readonly DeliveredRun[];

  constructor(
    private readonly ledger: Ledger,
    private readonly judged: JudgedExport,
  ) {
    this.runs = judged.delivery.runs;
    for (const run of this.runs) {
      for (const document of run.lines.flatMap(({ events }) => events)) {
        const name = nameOf(document);
        this.seen.set(name, [...(this.seen.get(name) ?? []), { run, document }]);
      }
    }
    this.winners = pickWinners(ledger, judged.organizationId, this.seen);
    const counting = [...this.winners.values()].filter(counts);
    this.byUser = Map.groupBy(counting, (each) => userName(each.event, nameOf(each.event)));
  }

  verdict(): Verdict {
    for (const what of this.judged.delivery.faults) this.tell('broken', what);
    for (const run of this.runs) this.judgeRun(run);
    for (const [name, occurrences] of this.seen) this.judgeRepetition(name, occurrences);
    const wanted = [...this.winners].filter(([, winner]) => this.isWanted(winner));
    for (const [name] of wanted) if (!this.seen.has(name)) this.tell('lost', name);
    const count = (kind: FaultKind) => this.found.filter((fault) => fault.kind === kind).length;
    return {
      produced: this.ledger.produced.length,
      expected: wanted.length,
      withheld: this.withheld(wanted.length),
      delivered: this.seen.size,
      users: this.users.size,
      runs: this.runs.length,
      lost: count('lost'),
      doubled: count('doubled'),
      misrouted: count('misrouted'),
      outOfWindow: count('outOfWindow'),
      altered: count('altered'),
      wrongUsers: count('wrongUsers'),
      broken: count('broken'),
      ok: this.found.length === 0,
      faults: faultKinds.flatMap((kind) => this.found.filter((fault) => fault.kind === kind).slice(0, faultsTold)),
    };
  }

  private withheld(wanted: number): Verdict['withheld'] {
    const winners = [...this.winners.values()];
    const pending = winners.filter(isPending).length;
    const otherRegulation = winners.filter((winner) => !isPending(winner) && !counts(winner)).length;
    return { pending, otherRegulation, guests: winners.length - pending - otherRegulation - wanted };
  }

  private tell(kind: FaultKind, what: string): void {
    this.found.push({ kind, what });
  }

  private judgeRun(run: DeliveredRun): void {
    const { organizationId, exportId } = this.judged;
    if (run.organizationId !== organizationId)
      this.tell('misrouted', `run ${run.run} is of organization ${run.organizationId}`);
    if (run.exportId !== exportId) this.tell('misrouted', `run ${run.run} is of export ${run.exportId}`);
    for (const line of run.lines) {
      this.judgeUser(run, line);
      for (const document of line.events) this.judgeEvent(run, line, document);
    }
  }

  private judgeEvent(run: DeliveredRun, line: DeliveredLine, document: Record<string, unknown>): void {
    const name = nameOf(document);
    const winner = this.winners.get(name);
    if (document['organization_id'] !== this.judged.organizationId || winner === undefined) {
      const owner = String(document['organization_id']);
      return this.tell('misrouted', `${name} of ${owner} is in an export of ${this.judged.organizationId}`);
    }
    if (!counts(winner))
      return this.tell(
        'misrouted',
        `${name} is ${winner.event.status ?? 'confirmed'}, ${winner.event.regulation ?? 'gdpr'}`,
      );
    if (!isInside(winner.place, run, eventsTopic)) {
      const { epoch, partition, offset } = winner.place;
      return this.tell(
        'outOfWindow',
        `${name} (epoch ${epoch}, partition ${partition}, offset ${offset}) is in run ${run.run}`,
      );
    }
    if (!this.isWanted(winner)) return this.tell('misrouted', `${name} is of a guest`);
    if (userName(winner.event, name) !== this.nameOfUser(line))
      this.tell('misrouted', `${name} stands under another user`);
    const fields = differences(expectedEvent(winner), document);
    if (fields.length > 0) this.tell('altered', `${name} in run ${run.run}: ${fields.join(', ')}`);
  }

  /** The state as of the end of the run's window. */
  private judgeUser(run: DeliveredRun, line: DeliveredLine): void {
    const name = this.nameOfUser(line);
    this.users.add(name);
    const history = (this.byUser.get(name) ?? []).filter(({ place }) => isBefore(place, run.to, eventsTopic));
    if (history.length === 0) return this.tell('misrouted', `${name} has nothing to be delivered in run ${run.run}`);
    const fields = differences(expectedUser(history), line.user);
    if (fields.length > 0) this.tell('wrongUsers', `${name} in run ${run.run}: ${fields.join(', ')}`);
  }

  private judgeRepetition(name: string, occurrences: readonly Occurrence[]): void {
    const versions = Map.groupBy(occurrences, ({ document }) => document['version']);
    for (const [version, same] of versions) {
      for (const { run } of same.slice(1))
        this.tell('doubled', `${name} version ${String(version)}, again in run ${run.run}`);
    }
  }

  /** Whether some run must hold the event: guests count only when they are wanted or were known by the window's end. */
  private isWanted(winner: Expected): boolean {
    if (!counts(winner)) return false;
    if (this.judged.includeGuests) return true;
    const run = this.runs.find((each) => isInside(winner.place, each, eventsTopic));
    const history = this.byUser.get(userName(winner.event, nameOf(winner.event))) ?? [];
    return !isGuest(run === undefined ? history : history.filter(({ place }) => isBefore(place, run.to, eventsTopic)));
  }

  private nameOfUser({ user, events }: DeliveredLine): string {
    const byId = `user ${String(user['id'])}`;
    if (this.byUser.has(byId)) return byId;
    const { organization_user_id: customer } = user;
    return typeof customer === 'string' ? `customer ${customer}` : `event ${nameOf(events[0] ?? {})}`;
  }
}

function isPending({ event }: Expected): boolean {
  return (event.status ?? 'confirmed') !== 'confirmed';
}

/** Only confirmed choices under the GDPR are exported. */
function counts(expected: Expected): boolean {
  return !isPending(expected) && (expected.event.regulation ?? 'gdpr') === 'gdpr';
}
