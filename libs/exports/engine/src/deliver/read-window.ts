import { DestinationError } from '@delivery/destinations/driver';
import { behind, hasReached, type Positions, toPositions, windowRanges } from '@delivery/exports/domain';
import type { IngestPosition } from '@delivery/ingest/store';
import type { Transaction } from '@delivery/platform/postgres';
import type { ContentRequest } from '../contents/content';
import { RunFault } from '../errors';
import type { ContentSource } from '../sources/content-source';
import { CopyLines } from './copy-lines';
import type { Delivery } from './delivery';

/**
 * The transaction idles while the destination is prepared: longer than in any other, since the store may ask to slow
 * down, but not for as long as an exporter can be frozen.
 */
const IDLE_MS = 600_000;

/**
 * Opens the export's own read-only snapshot, in which everything is read, and checks that it holds the whole window
 * (rule 13).
 *
 * @throws RunFault `snapshot_behind`
 */
export async function inSnapshot<T>(delivery: Delivery, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const { deps, run, lease, content } = delivery;
  let failure: unknown;
  let done: { result: T } | undefined;
  const work = async (tx: Transaction): Promise<T> => {
    try {
      // A statement that sends nothing yet (a sort) would otherwise outlive an exporter that is gone.
      await tx.query(`SET LOCAL client_connection_check_interval = '5s'`);
      const positions = await deps.positions.readAll(tx, content.source.consumer);
      if (await deps.positions.isHeld(tx)) throw databaseWentBack();
      assertReached(content.source, positions, run.window.to);
      lease.signal.throwIfAborted();
      const topicIds = new Map(positions.map(({ topic, topicId }) => [topic, topicId]));
      done = { result: await read({ tx, topicIds }) };
      return done.result;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    // A large window takes longer to read than any statement of a request may.
    const limits = { statementTimeoutMs: 0, idleTimeoutMs: IDLE_MS } as const;
    return await deps.snapshots.transaction(work, {
      isolation: 'repeatable read',
      readOnly: true,
      retries: 0,
      ...limits,
    });
  } catch (error) {
    // All was read and written: that Postgres ended the idle transaction while the last upload took its time is no loss.
    if (done !== undefined) return done.result;
    // What the destination or the lease refused must not pass for a failure of the database it was read from.
    throw failure instanceof DestinationError || failure instanceof RunFault ? failure : error;
  }
}

export interface Snapshot {
  readonly tx: Transaction;
  readonly topicIds: ReadonlyMap<string, number>;
}

export function recordedPositions(positions: readonly IngestPosition[]): Positions {
  return toPositions(positions.map(({ nextOffset, ...position }) => ({ ...position, offset: nextOffset })));
}

function databaseWentBack(): RunFault {
  return new RunFault(
    'snapshot_behind',
    'The database is older than what was recorded once; the run waits until the operator has looked at what was delivered.',
  );
}

function assertReached(source: ContentSource, positions: readonly IngestPosition[], end: Positions): void {
  const recorded = recordedPositions(positions);
  if (hasReached(recorded, end)) return;
  const missing = behind(recorded, end).map(({ at, target }) => source.lackOf(at, target));
  throw new RunFault(
    'snapshot_behind',
    `The database that exports read from has not reached the end of the window yet: ${missing.join(', ')}.`,
  );
}

/** The window's lines in blocks. */
export async function* streamLines(delivery: Delivery, snapshot: Snapshot): AsyncGenerator<Uint8Array> {
  const { content, lease, progress } = delivery;
  const request = await contentRequest(delivery, snapshot);
  const lines = new CopyLines(content.grouped ? 2 : 0);
  for (const sql of content.linesSql(request)) {
    for await (const chunk of copied(snapshot.tx, sql, lease.signal)) {
      yield* lines.push(chunk);
      [progress.now.events = lines.lines, progress.now.users = 0] = lines.counted;
    }
    lines.endCopy();
  }
  yield lines.finish();
}

/** Ends at once when the lease is lost or the exporter stops. */
async function* copied(tx: Transaction, sql: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const source = tx.copyOut(`COPY (${sql}) TO STDOUT (FORMAT binary)`);
  const stop = (): void => void source.destroy(asError(signal.reason));
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of source) yield asBytes(chunk);
  } finally {
    signal.removeEventListener('abort', stop);
    source.destroy();
  }
}

/** What is to be read, and in which months it lies. */
async function contentRequest(delivery: Delivery, { tx, topicIds }: Snapshot): Promise<ContentRequest> {
  const { run, spec, content, progress } = delivery;
  const ranges = windowRanges(run.window).map(({ topic, ...range }) => {
    const topicId = topicIds.get(topic);
    if (topicId === undefined) throw new RunFault('snapshot_behind', `Nothing was ever recorded from ${topic}.`);
    return { ...range, topicId };
  });
  const { organizationId } = run;
  const window = { organizationId, ranges, includeGuests: spec.includeGuests };
  const [found] = await tx.query<Survey>(content.surveySql(window));
  progress.now.estimated_events = Number(found?.events ?? 0);
  const { first_month: first, last_month: last } = found ?? {};
  if (!first || !last) return { ...window, ranges: [], months: { first: '-infinity', last: 'infinity' } };
  return { ...window, months: { first, last } };
}

interface Survey {
  events: string;
  first_month: string | null;
  last_month: string | null;
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('a copy gives bytes');
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
