import type { Scenario } from '../scenario';
import { poison } from './poison';

/** All scenarios, in the order of the table; a line each. */
export const scenarios: readonly Scenario[] = [poison];
