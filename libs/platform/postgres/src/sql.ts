import type { PoolClient } from 'pg';
import type { Readable } from 'node:stream';

/** What stores take to run a statement: the database itself or a transaction. int8 comes back as string, timestamptz as Date. */
export interface Sql {
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

/** One connection inside `BEGIN ... COMMIT`. */
export interface Transaction extends Sql {
  readonly client: PoolClient;
  /** Runs `COPY ... FROM STDIN` with the given chunks; respects backpressure. @returns rows written. */
  copyIn(text: string, chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>): Promise<number>;
  /** Runs `COPY ... TO STDOUT`; destroying the stream before its end breaks the connection on purpose. */
  copyOut(text: string): Readable;
}

/** A text as an SQL literal, for statements that take no parameters (`COPY`, `SET`). */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
