import { emptyReport, missing, type Report } from './report';
import type { Scenario } from './scenario';
import { Interrupted, untilStopped } from '../services';
import type { Servers } from './servers';
import { Stage } from './stage';

export interface Performance {
  long: boolean;
  seed: number;
  /** Set when somebody asks to stop. */
  stopped?: AbortSignal;
  /** A story that is not done by then is ended, and told as wrong. */
  limitMs?: number;
}

/** Of a timer. */
const longest = 2 ** 31 - 1;

/**
 * Plays one scenario on a stage of its own, and ends whatever it started.
 * @returns the report; what it threw is among what is wrong
 * @throws Interrupted when it was asked to stop
 */
export async function perform(
  scenario: Scenario,
  servers: Servers,
  { long, seed, stopped = new AbortController().signal, limitMs }: Performance,
  openStage: (servers: Servers, report: Report) => Promise<Stage> = Stage.open,
): Promise<Report> {
  const { name, row } = scenario;
  const report = emptyReport({ name, row, form: long ? 'long' : 'short', seed });
  const began = performance.now();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(tooLong(report, limitMs ?? 0))), limitMs ?? longest);
  const isWrong = (what: string) => (error: unknown) => void report.wrong.push(`${what}${told(error)}`);
  let stage: Stage | undefined;
  try {
    const end = AbortSignal.any([stopped, limit.signal]);
    stage = await openStage(servers, report);
    await untilStopped(end, scenario.run(stage));
    report.wrong.push(...missing(report, scenario.shows));
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    isWrong('')(error);
  } finally {
    clearTimeout(timer);
    await servers.repair().catch(isWrong('the servers could not be repaired: '));
    await stage?.close().catch(isWrong('the stage could not be closed: '));
    report.seconds = Math.round((performance.now() - began) / 1000);
  }
  return report;
}

function tooLong({ done, accounts }: Report, limitMs: number): string {
  const last = accounts.at(-1)?.after ?? 'nothing';
  return `not done after ${limitMs / 1000} s; the last account was taken after ${last}, the last thing done was ${Object.keys(done).at(-1) ?? 'nothing'}`;
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (${told(error.cause)})`;
  return `${error.message}${cause}`;
}
