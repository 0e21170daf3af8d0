import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, startTime, type ProcessRef } from './processes';

export const partNames = ['kafka', 'postgres', 's3', 'gcs'] as const;
export type PartName = (typeof partNames)[number];

export interface PartState extends ProcessRef {
  port: number;
  /** Set when the part is a container; then pid means nothing. */
  container?: string;
}

export interface StackState {
  parts: Partial<Record<PartName, PartState>>;
}

export function readState(dir: string): StackState {
  try {
    return JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as StackState;
  } catch {
    return { parts: {} };
  }
}

/** Whole or not at all: a reader never sees half a file. */
export function writeState(dir: string, state: StackState): void {
  writeWhole(join(dir, 'state.json'), JSON.stringify(state, null, 2));
}

export function writeWhole(path: string, text: string, mode = 0o644): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

/** Secrets of the local stack only, made once per state folder. */
export function localSecrets(dir: string): Record<string, string> {
  const path = join(dir, 'secrets.json');
  if (!existsSync(path)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const secrets = {
      DATABASE_PASSWORD: randomBytes(18).toString('base64url'),
      SECRETS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AUTH_TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      MANIFEST_SIGNING_KEY: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
      MANIFEST_PUBLIC_KEY: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    };
    writeWhole(path, JSON.stringify(secrets, null, 2), 0o600);
  }
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
}

/** Two commands at once take turns; a lock whose owner is gone counts for nothing. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const own = JSON.stringify({ pid: process.pid, started: startTime(process.pid) ?? '' });
  mkdirSync(join(path, '..'), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      if (!ownerRuns(path)) rmSync(path, { force: true });
      else await delay(200);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function ownerRuns(path: string): boolean {
  try {
    return isRunning(JSON.parse(readFileSync(path, 'utf8')) as ProcessRef);
  } catch {
    // Just written and still empty, or just removed: look again.
    return existsSync(path) && readFileSync(path, 'utf8') === '';
  }
}
