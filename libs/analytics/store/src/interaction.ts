import { hash } from 'node:crypto';
import type { Interaction } from '@delivery/analytics/domain';

/** A valid interaction with the append time and the offset of the message that brought it. */
export interface InteractionToRecord {
  readonly interaction: Interaction;
  readonly arrivedAt: Date;
  readonly offset: bigint;
}

/** Stands for texts of any length, in hexadecimal as Postgres takes a uuid. None of them may hold a line feed. */
export function digest(...texts: readonly string[]): string {
  return hash('sha256', texts.join('\n')).slice(0, 32);
}

/** As Postgres writes a uuid, back to what {@link digest} gave. */
export function undashed(uuid: string): string {
  return uuid.replaceAll('-', '');
}
