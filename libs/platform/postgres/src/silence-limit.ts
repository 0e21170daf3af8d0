import { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';

/** What Postgres may take, beyond its own limit, to say that it cancelled a statement. */
const GRACE_MS = 5000;
const SILENT = 'Connection terminated: Postgres said nothing for too long';

/**
 * Gives up connections on which nothing comes for longer than a statement may take. A firewall that forgot one tells
 * nobody: whoever waits for its answer would wait for minutes, and the pool would have one less.
 */
export class SilenceLimit {
  constructor(
    pool: Pool,
    private readonly statementTimeoutMs: number,
  ) {
    pool.on('acquire', (client) => this.set(client));
    pool.on('release', (_, { connection: { stream } }) => setLimit(stream, 0));
  }

  /** For as long as the client is in use. @param statementTimeoutMs - 0 is no limit */
  set({ connection: { stream } }: PoolClient, statementTimeoutMs = this.statementTimeoutMs): void {
    setLimit(stream, statementTimeoutMs === 0 ? 0 : statementTimeoutMs + GRACE_MS);
  }
}

function setLimit(stream: unknown, ms: number): void {
  if (!(stream instanceof Socket)) return;
  if (stream.listenerCount('timeout') === 0) stream.on('timeout', () => stream.destroy(new Error(SILENT)));
  stream.setTimeout(ms);
}
