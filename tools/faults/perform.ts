import { emptyReport, type Report } from './report';
import type { Scenario } from './scenario';
import { Interrupted, untilStopped } from '../services';
import type { Servers } from './servers';
import { Stage } from './stage';

export interface Performance {
  long: boolean;
  seed: number;
  /** Set when somebody asks to stop. */
  stopped?: AbortSignal;
}

/**
 * Plays one scenario on a stage of its own, and ends whatever it started.
 * @returns the report; what it threw is among what is wrong
 * @throws Interrupted when it was asked to stop
 */
export async function perform(
  scenario: Scenario,
  servers: Servers,
  { long, seed, stopped = new AbortController().signal }: Performance,
): Promise<Report> {
  const { name, row } = scenario;
  const report = emptyReport({ name, row, form: long ? 'long' : 'short', seed });
  const began = performance.now();
  const stage = await Stage.open(servers, report);
  try {
    await untilStopped(stopped, scenario.run(stage));
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    report.wrong.push(told(error));
  } finally {
    await servers.repair();
    await stage.close();
  }
  report.seconds = Math.round((performance.now() - began) / 1000);
  return report;
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (${told(error.cause)})`;
  return `${error.message}${cause}`;
}
