import type { Scenario } from '../scenario';
import { analytics } from './analytics';
import { broker } from './broker';
import { clock } from './clock';
import { kill } from './kill';
import { disk, heap } from './limits';
import { log } from './log';
import { memory } from './memory';
import { migration } from './migration';
import { poison } from './poison';
import { postgres } from './postgres';
import { replicas } from './replicas';
import { refused, stores } from './stores';
import { wire } from './wire';

/** All scenarios, in the order of the table; a line each. */
export const scenarios: readonly Scenario[] = [
  kill,
  broker,
  postgres,
  wire,
  poison,
  stores,
  refused,
  disk,
  heap,
  memory,
  replicas,
  log,
  clock,
  migration,
  analytics,
];
