import { randomUUID } from 'node:crypto';
import { waitFor } from '@delivery/platform/testing';
import { BatchConsumer, type FetchedMessage, type KafkaConnection } from '../src/index';

export interface LoggedMessage extends FetchedMessage {
  partition: number;
}

/** Everything committed that a topic holds now, in the order of its partitions and offsets. */
export async function readLog(connection: KafkaConnection, topic: string): Promise<LoggedMessage[]> {
  const ends = await connection.watermarks(topic);
  const reached = new Map<number, bigint>();
  const found: LoggedMessage[] = [];
  const consumer = new BatchConsumer(connection, {
    groupId: randomUUID(),
    topics: [topic],
    onBatch: async ({ partition, nextOffset, messages }) => {
      reached.set(partition, nextOffset);
      found.push(...messages.map((message) => ({ ...message, partition })));
    },
    onError: () => undefined,
  });
  await consumer.start();
  const atEnd = () => ends.every(({ partition, low, stable }) => (reached.get(partition) ?? low) >= stable);
  await waitFor(atEnd, { describe: `the end of ${topic}` });
  await consumer.stop();
  return found.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}
