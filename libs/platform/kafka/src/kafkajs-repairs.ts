import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import Broker, { type FetchRequest, type FetchResponse, type RawPartition, type RawRecord } from 'kafkajs/src/broker';
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup';
import Connection from 'kafkajs/src/network/connection';
import RequestQueue from 'kafkajs/src/network/requestQueue';
import { topicIds } from './topic-ids';

/**
 * Six corrections of kafkajs 2.2.4, which is no longer maintained. All are installed once, by importing this file.
 *
 * 1. What a consumer fetched. kafkajs hides control records and records of aborted transactions itself, and
 *    - passes over a fetched batch that holds nothing else without telling the consumer, so a position would stand
 *      before a trailing marker for ever;
 *    - takes the broker's list of aborted transactions for sorted by first offset. It is in the order they ended: with
 *      two at once, records of an aborted transaction were delivered;
 *    - takes any record whose key is four zero bytes for an abort marker.
 *    Here the records are marked instead (`isHidden`) and all of them reach `eachBatch`.
 *
 * 2. Its request queue started a timer of one millisecond again and again on every idle connection (and Node 24 warned
 *    of the negative time-out behind it).
 *
 * 3. A host clock that was set back: no heartbeats were sent until it was again as late as at the last one.
 *
 * 4. A connection that broke in the middle of a response kept that half, and took what a new connection brought for the rest
 *    of it; a connection that was given up still brought data into the next one. The sizes it then read out of the middle of
 *    responses let it wait for ever, or ended the process by an exception that nobody could catch.
 *
 * 5. It asks for topics by name and offset. One that was made anew and has grown past the offset by the next request is
 *    read on as if nothing had happened, and what stands before is never seen. Here the ids of topics are compared around
 *    each fetch (brokers since 2.8 tell them), and the client's log says `TOPIC_MADE_ANEW` before the messages are handed on.
 *
 * 6. Whoever asks an administrative connection for offsets is told where committed messages end, as if the log ended before
 *    an open transaction: what stands in it and behind it would be taken for what has not arrived. Here the log's own ends
 *    are told, and the others to {@link askCommitted}. Consumers say themselves what they read.
 */
const hidden = new WeakSet<object>();

/** Whether a record only moves the position: a control record, or part of an aborted transaction. */
export function isHidden(record: object): boolean {
  return hidden.has(record);
}

export const TOPIC_MADE_ANEW = 'The topic was made anew';
/** Of each client, by its logger: the ids of topics that it fetches from. */
const clients = new WeakMap<object, Map<string, string>>();

const { fetch } = Broker.prototype;
Broker.prototype.fetch = async function fetchAndMark(request) {
  await learnIds(this, request);
  const response = await fetch.call(this, request);
  await compareIds(this, response);
  for (const { partitions } of response.responses) partitions.forEach(markHidden);
  return response;
};

const committedOnly = new AsyncLocalStorage<true>();

/** Asks for offsets as whoever reads committed messages sees them. */
export function askCommitted<T>(request: () => Promise<T>): Promise<T> {
  return committedOnly.run(true, request);
}

const { listOffsets } = Broker.prototype;
Broker.prototype.listOffsets = function listOffsetsOfLog({
  isolationLevel = committedOnly.getStore() ? 1 : 0,
  ...rest
}) {
  return listOffsets.call(this, { isolationLevel, ...rest });
};

function knownIds({ rootLogger }: Broker): Map<string, string> {
  const ids = clients.get(rootLogger) ?? new Map<string, string>();
  clients.set(rootLogger, ids);
  return ids;
}

async function learnIds(broker: Broker, { topics }: FetchRequest): Promise<void> {
  const known = knownIds(broker);
  const unknown = new Set(topics.map(({ topic }) => topic).filter((topic) => !known.has(topic)));
  for (const [topic, id] of await topicIds(broker, [...unknown])) known.set(topic, id);
}

/** Ids never come back: messages that were fetched before the id was still the known one are of that topic. */
async function compareIds(broker: Broker, { responses }: FetchResponse): Promise<void> {
  const known = knownIds(broker);
  const brought = responses.filter(({ partitions }) => partitions.some(({ messages }) => messages.length > 0));
  const names = brought.map(({ topicName }) => topicName).filter((name) => known.has(name));
  const ids = await topicIds(broker, names);
  for (const topic of names) {
    const id = ids.get(topic);
    if (id === known.get(topic)) continue;
    broker.logger.warn(TOPIC_MADE_ANEW, { topic });
    if (id === undefined) known.delete(topic);
    else known.set(topic, id);
  }
}

const { scheduleCheckPendingRequests } = RequestQueue.prototype;
RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleWhenPending() {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

/**
 * Read-committed as the Java client does it: a transaction counts as aborted from its first offset to its abort marker.
 * Exported for its tests.
 */
export function markHidden(partition: RawPartition): void {
  const aborted = (partition.abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  partition.abortedTransactions = [];
  const open = new Set<string>();
  for (const record of partition.messages) {
    const producer = record.batchContext?.producerId;
    if (aborted.length > 0) {
      const offset = BigInt(record.offset);
      for (let next = aborted[0]; next !== undefined && next.firstOffset <= offset; next = aborted[0]) {
        open.add(next.producerId);
        aborted.shift();
      }
    }
    if (record.isControlRecord) {
      if (producer !== undefined && isAbortMarker(record)) open.delete(producer);
      record.isControlRecord = false;
      hidden.add(record);
    } else if (producer !== undefined && record.batchContext?.inTransaction && open.has(producer)) {
      hidden.add(record);
    }
  }
}

/** The key of a control record is its version and its type, two bytes each; type 0 ends a transaction by aborting it. */
function isAbortMarker({ key }: RawRecord): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}

const { heartbeat } = ConsumerGroup.prototype;
ConsumerGroup.prototype.heartbeat = function heartbeatByAnyClock(options) {
  this.lastRequest = Math.min(this.lastRequest, Date.now());
  return heartbeat.call(this, options);
};

/** What each response begins with: its size. */
const SIZE_BYTES = 4;

const { connect, processData } = Connection.prototype;
Connection.prototype.connect = function connectAfresh() {
  if (!this.isConnected()) {
    // One that is connecting still has brought nothing yet, and somebody may wait for it.
    if (this.socket?.connecting === false) giveUp(this.socket);
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = SIZE_BYTES;
  }
  return connect.call(this);
};

Connection.prototype.processData = function processOrBreak(data) {
  try {
    processData.call(this, data);
  } catch (error) {
    // Whoever waits for a response is told, and the next request connects again.
    this.socket?.destroy(new Error('the broker sent what is no response', { cause: error }));
  }
};

function giveUp(socket: Socket): void {
  for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.destroy();
}
