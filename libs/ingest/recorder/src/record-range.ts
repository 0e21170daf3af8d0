import type { Counters, IngestPosition, PositionStore, Rejection, RejectionStore } from '@delivery/ingest/store';
import { DatabaseError, type Database, type Transaction } from '@delivery/platform/postgres';
import { fingerprintOf } from './fingerprint';
import type { LogMessage, LogSource, Prepared, RecordOutcome, TopicRecorder } from './topic-recorder';

export interface RecordRangeDeps {
  database: Database;
  positions: PositionStore;
  rejections: RejectionStore;
  /** Told of every step that was committed: of a halved range, one half may be when the other fails. */
  counted(topic: string, partition: number, counted: Counters): void;
}

/** A run of offsets `[position.nextOffset, nextOffset)` and the messages found in it. */
export interface Range<P> {
  items: readonly Prepared<P>[];
  nextOffset: bigint;
}

/** Another recorder moved the position first, or nobody may move it now; what was read must be read again from where it stands now. */
export class PositionMoved extends Error {
  constructor(readonly current: IngestPosition | undefined) {
    super('The position was moved by another recorder, or may not be moved now.');
    this.name = 'PositionMoved';
  }
}

export interface RangeResult {
  position: IngestPosition;
  counted: Counters;
}

interface RecordedOnce extends RangeResult {
  outcome: RecordOutcome;
}

/**
 * Records one range in one transaction: lock the position, write the rows, write the rejections, move the position.
 * A value that Postgres refuses is found by halving the range; it alone is rejected.
 * @throws PositionMoved, DatabaseError (retryable).
 */
export async function recordRange<P>(
  deps: RecordRangeDeps,
  recorder: TopicRecorder<P>,
  position: IngestPosition,
  range: Range<P>,
): Promise<RangeResult> {
  try {
    const result = await deps.database.transaction((tx) => recordOnce(deps, tx, recorder, position, range));
    deps.counted(position.topic, position.partition, result.counted);
    result.outcome.committed?.();
    return result;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'refused_value' || range.items.length === 0) throw error;
    if (range.items.length === 1) return recordRange(deps, recorder, position, rejectOnly(range, error));
    return recordHalves(deps, recorder, position, range);
  }
}

async function recordHalves<P>(
  deps: RecordRangeDeps,
  recorder: TopicRecorder<P>,
  position: IngestPosition,
  range: Range<P>,
): Promise<RangeResult> {
  const middle = range.items.length >> 1;
  const second = range.items[middle];
  if (second === undefined) throw new RangeError('a range to halve holds at least two messages');
  const left = await recordRange(deps, recorder, position, {
    items: range.items.slice(0, middle),
    nextOffset: second.message.offset,
  });
  const right = await recordRange(deps, recorder, left.position, {
    items: range.items.slice(middle),
    nextOffset: range.nextOffset,
  });
  return { position: right.position, counted: addCounters(left.counted, right.counted) };
}

function rejectOnly<P>(range: Range<P>, error: DatabaseError): Range<P> {
  const [item] = range.items;
  if (item === undefined || 'reasons' in item) throw error;
  const reason = { field: '', code: 'refused_by_database', message: error.message };
  return {
    items: [{ message: item.message, organizationId: undefined, reasons: [reason] }],
    nextOffset: range.nextOffset,
  };
}

async function recordOnce<P>(
  deps: RecordRangeDeps,
  tx: Transaction,
  recorder: TopicRecorder<P>,
  expected: IngestPosition,
  range: Range<P>,
): Promise<RecordedOnce> {
  const { topic, partition, consumer } = expected;
  const position = await deps.positions.lock(tx, consumer, topic, partition);
  const same = position?.epoch === expected.epoch && position.nextOffset === expected.nextOffset;
  if (position === undefined || !same || position.held) {
    throw new PositionMoved(position);
  }
  const source: LogSource = {
    clusterId: position.clusterId,
    topic,
    topicId: position.topicId,
    partition,
    epoch: position.epoch,
  };
  const good = range.items.filter((item) => 'value' in item);
  const outcome: RecordOutcome =
    good.length === 0 ? { duplicates: 0, suppressed: 0, rejected: [] } : await recorder.record(tx, good, source);
  const rejected = [...range.items.filter((item) => 'reasons' in item), ...outcome.rejected];
  await deps.rejections.insert(
    tx,
    rejected.map((item) => toRejection(item, source)),
  );
  const counted = countRange(position, range, rejected.length, outcome);
  const last = range.items.at(-1)?.message;
  await deps.positions.advance(tx, {
    position,
    nextOffset: range.nextOffset,
    counted,
    ...(last && { last: { offset: last.offset, fingerprint: fingerprintOf(last), arrivedAt: last.arrivedAt } }),
  });
  return { position: moved(position, range.nextOffset, counted, last), counted, outcome };
}

function countRange<P>(position: IngestPosition, range: Range<P>, rejected: number, outcome: RecordOutcome): Counters {
  const messages = range.items.length;
  return {
    recorded: BigInt(messages - rejected - outcome.duplicates - outcome.suppressed),
    duplicates: BigInt(outcome.duplicates),
    suppressed: BigInt(outcome.suppressed),
    rejected: BigInt(rejected),
    control: range.nextOffset - position.nextOffset - BigInt(messages),
  };
}

function toRejection(
  item: { message: LogMessage; organizationId: string | undefined; reasons: Rejection['reasons'] },
  source: LogSource,
): Rejection {
  const { message } = item;
  return {
    topicId: source.topicId,
    epoch: source.epoch,
    partition: source.partition,
    offset: message.offset,
    organizationId: item.organizationId,
    key: message.key,
    value: message.value,
    headers: message.headers,
    reasons: item.reasons.map((reason) => ({
      field: storable(reason.field),
      code: reason.code,
      message: storable(reason.message),
    })),
    arrivedAt: message.arrivedAt,
  };
}

/** Reasons may quote what a producer sent; Postgres takes neither NUL nor lone surrogates. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '�');
}

function moved(
  position: IngestPosition,
  nextOffset: bigint,
  counted: Counters,
  last: LogMessage | undefined,
): IngestPosition {
  return {
    ...position,
    ...addCounters(position, counted),
    nextOffset,
    ...(last && { fingerprint: fingerprintOf(last), fingerprintOffset: last.offset, arrivedAt: last.arrivedAt }),
  };
}

export function addCounters(a: Counters, b: Counters): Counters {
  return {
    recorded: a.recorded + b.recorded,
    duplicates: a.duplicates + b.duplicates,
    rejected: a.rejected + b.rejected,
    suppressed: a.suppressed + b.suppressed,
    control: a.control + b.control,
  };
}
