import { kafka } from './kafka';
import { gcs, s3 } from './object-stores';
import type { Part } from './part';
import { postgres } from './postgres';

/** Everything the platform needs around it, in the order in which it is listed. */
export const parts: readonly Part[] = [kafka, postgres, s3, gcs];
export type { Part, StartContext } from './part';
