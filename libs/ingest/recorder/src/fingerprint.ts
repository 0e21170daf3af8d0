import { createHash } from 'node:crypto';
import type { LogMessage } from './topic-recorder';

/** SHA-256 over offset, append time, key and value: tells whether the log still holds the message it held before. */
export function fingerprintOf(message: LogMessage): Buffer {
  const hash = createHash('sha256');
  hash.update(`${message.offset} ${message.appendedAt.getTime()} ${message.key?.length ?? -1} `);
  if (message.key) hash.update(message.key);
  if (message.value) hash.update(message.value);
  return hash.digest();
}
