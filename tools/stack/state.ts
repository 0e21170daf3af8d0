import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessRef } from './processes';

export const partNames = ['kafka', 'postgres', 's3', 'gcs'] as const;
export type PartName = (typeof partNames)[number];

export interface RunningPart extends ProcessRef {
  port: number;
  /** Set when the part is a container; then pid means nothing. */
  container?: string;
}

export interface StackState {
  parts: Partial<Record<PartName, RunningPart>>;
  /** Ports used last: a part that died and starts again is where its clients look for it. */
  ports: Partial<Record<PartName, number>>;
  /** Parts that hold contents which refer to each other, and whether these outlive their process. */
  contents: Partial<Record<PartName, 'kept' | 'in memory'>>;
}

/** What is known of the stack in a folder; nothing when the file is missing or not readable. */
export function readState(dir: string): StackState {
  try {
    const stored = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as Partial<StackState>;
    return { parts: stored.parts ?? {}, ports: stored.ports ?? {}, contents: stored.contents ?? {} };
  } catch {
    return { parts: {}, ports: {}, contents: {} };
  }
}

export function writeState(dir: string, state: StackState): void {
  writeWhole(join(dir, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** Whole or not at all: a reader never sees half a file. */
export function writeWhole(path: string, text: string, mode = 0o644): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}
