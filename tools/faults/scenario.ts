import type { Shown } from './report';
import type { Stage } from './stage';

/**
 * One fault as a story: what is broken while the platform works, and what must hold afterwards.
 *
 * `run` starts the services it needs with `stage.start`, breaks something, says so with `stage.did`, calls
 * `stage.account` after every fault and `stage.judge` for every export at the end. What does not hold is told with
 * `stage.expect`; it may throw as well. Whatever it started is ended for it.
 */
export interface Scenario {
  /** What it is called by: `npm run faults -- <name>`. */
  name: string;
  /** Row of the table in docs/reliability.md: F1 to F11. */
  row: string;
  /** One sentence for `--list`. */
  does: string;
  /** Without it the story has shown nothing, in either form. */
  shows: Shown;
  /** What it needs and this machine lacks, in words; it is then not played unless it is asked for by name. */
  lacks?(): string | undefined;
  run(stage: Stage): Promise<void>;
}
