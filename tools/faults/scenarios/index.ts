import type { Scenario } from '../scenario';
import { disk, heap } from './limits';
import { memory } from './memory';
import { poison } from './poison';
import { refused, stores } from './stores';

/** All scenarios, in the order of the table; a line each. */
export const scenarios: readonly Scenario[] = [poison, stores, refused, disk, heap, memory];
