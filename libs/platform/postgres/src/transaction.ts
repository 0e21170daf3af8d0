import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient, QueryResult } from 'pg';
import { from as copyFrom, to as copyTo, type CopyToStreamQuery } from 'pg-copy-streams';
import { mapDatabaseError } from './errors';
import type { Sql, Transaction } from './sql';

/** Bytes on their way in either direction of a COPY. */
const copyBuffer = 1 << 18;

/** What pg calls on a query it runs; pg-copy-streams' types leave it out. */
interface PgQuery {
  handleError(error: unknown): void;
}

/** Statements on one connection, with the errors of this library. */
export function sqlOn(client: { query(text: string, values?: unknown[]): Promise<QueryResult | QueryResult[]> }): Sql {
  return {
    async query<R>(text: string, values?: readonly unknown[]) {
      try {
        return rowsOf<R>(await client.query(text, values && [...values]));
      } catch (error) {
        throw mapDatabaseError(error);
      }
    },
  };
}

/** What a transaction offers, and whether a COPY is still under way when its work has ended. */
export function transactionOn(client: PoolClient): { tx: Transaction; copying(): boolean } {
  const unfinished = new Set<Readable>();
  const tx: Transaction = {
    client,
    ...sqlOn(client),
    async copyIn(text, chunks) {
      const sink = client.query(copyFrom(text));
      try {
        // Failing chunks destroy the sink, which tells Postgres to forget the copy and waits for its answer.
        await pipeline(Readable.from(chunks, { objectMode: false, highWaterMark: copyBuffer }), sink);
      } catch (error) {
        throw mapDatabaseError(error);
      }
      return sink.rowCount ?? 0;
    },
    copyOut(text) {
      const source = copyTo(text, { highWaterMark: copyBuffer }) as CopyToStreamQuery & PgQuery;
      unfinished.add(source);
      source.once('end', () => unfinished.delete(source));
      const finish = source.handleError.bind(source);
      source.handleError = (error) => {
        unfinished.delete(source);
        // Nobody listens to a stream that was left: its error event would end the process.
        if (!source.destroyed) finish(asError(mapDatabaseError(error)));
      };
      return client.query(source);
    },
  };
  return { tx, copying: () => unfinished.size > 0 };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The rows of the last statement: a text of several gives a list of results. */
export function rowsOf<R>(result: QueryResult | QueryResult[]): R[] {
  return (Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows) as R[];
}
