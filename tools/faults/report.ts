import { type Counts, type FaultKind, faultKinds, type Verdict } from '../oracle';

/** The accounting of rule 9 as it was found after one fault. */
export interface Account {
  after: string;
  counts: Counts;
  /** Offsets before the positions. */
  passed: number;
  /** The counters add up to the offsets, and are those of the producer's own ledger. */
  ok: boolean;
}

/** What one scenario did and found. */
export interface Report {
  name: string;
  row: string;
  form: 'short' | 'long';
  seed: number;
  seconds: number;
  /** What was done, how often. */
  done: Record<string, number>;
  /** The oracle's counts, summed over all exports it judged; all should be 0. */
  verdict: Record<FaultKind, number>;
  exports: number;
  /** Events that should have been delivered, and that were, summed over all exports. */
  expected: number;
  delivered: number;
  accounts: Account[];
  /** Runs by the state they ended in, with the sentence of those that were not delivered. */
  runs: Record<string, number>;
  /** Everything that did not hold. */
  wrong: string[];
}

export function emptyReport(of: Pick<Report, 'name' | 'row' | 'form' | 'seed'>): Report {
  const verdict = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Report['verdict'];
  return {
    ...of,
    seconds: 0,
    done: {},
    verdict,
    exports: 0,
    expected: 0,
    delivered: 0,
    accounts: [],
    runs: {},
    wrong: [],
  };
}

export function addVerdict(report: Report, verdict: Verdict): void {
  for (const kind of faultKinds) report.verdict[kind] += verdict[kind];
  report.exports += 1;
  report.expected += verdict.expected;
  report.delivered += verdict.delivered;
  for (const { kind, what } of verdict.faults) report.wrong.push(`${kind}: ${what}`);
}

/** What a scenario must have shown, at least. */
export interface Shown {
  /** Exports that the oracle judged; with one, events too that should have been in it. */
  exports: number;
  /** Accounts of rule 9. */
  accounts: number;
  /** What it must have done at least once, as the report calls it. */
  done?: readonly string[];
}

/** A scenario that judged nothing and accounted for nothing has shown nothing. */
export function missing({ exports, expected, accounts, done }: Report, least: Shown): string[] {
  return [
    exports < least.exports && `${exports} exports were judged, not ${least.exports}`,
    least.exports > 0 && expected === 0 && 'no event should have been delivered',
    accounts.length < least.accounts && `${accounts.length} accounts were taken, not ${least.accounts}`,
    ...(least.done ?? []).map((what) => !done[what] && `nothing was done of: ${what}`),
  ].filter((what) => what !== false);
}

export function isFaultless({ wrong, verdict, accounts }: Report): boolean {
  return wrong.length === 0 && faultKinds.every((kind) => verdict[kind] === 0) && accounts.every(({ ok }) => ok);
}

const wrongTold = 30;

/** One line of it. */
export function headline(report: Report): string {
  const { done, exports, expected, delivered, accounts } = report;
  const all = { ...done, exports, expected, delivered, accounts: accounts.length };
  return `${title(report)}: ${counted(all)}`;
}

function title(report: Report): string {
  const { row, name, form, seed, seconds } = report;
  return `${isFaultless(report) ? 'ok    ' : 'WRONG '} ${row} ${name} (${form}, seed ${seed}, ${seconds} s)`;
}

/** For people. */
export function reportLines(report: Report): string[] {
  const { done, verdict, accounts, runs, wrong } = report;
  return [
    title(report),
    `  done     ${counted(done)}`,
    `  oracle   ${counted(verdict)} · expected ${report.expected} · delivered ${report.delivered} in ${report.exports} exports`,
    `  accounts ${accounts.filter(({ ok }) => ok).length} of ${accounts.length} add up`,
    ...accounts.filter(({ ok }, n) => !ok || n === accounts.length - 1).map(accountLine),
    `  runs     ${counted(runs) || 'none'}`,
    ...wrong.slice(0, wrongTold).map((what) => `  WRONG    ${what}`),
    ...(wrong.length > wrongTold ? [`  WRONG    and ${wrong.length - wrongTold} more`] : []),
  ];
}

function accountLine({ after, counts, passed, ok }: Account): string {
  return `  account  after ${after}: ${counted(counts)}, passed ${passed}${ok ? '' : ', DOES NOT ADD UP'}`;
}

function counted(counts: object): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${String(count)}`)
    .join(' · ');
}
