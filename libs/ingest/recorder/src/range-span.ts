import type { IngestPosition } from '@delivery/ingest/store';
import { maxLinks, type SpanOptions } from '@delivery/platform/tracing';
import type { Range } from './record-range';
import type { LogMessage } from './topic-recorder';

/** One span for many messages: it links to what wrote them, and its offsets tell which they are. */
export function describeRange(
  { topic, partition, epoch, nextOffset }: IngestPosition,
  range: Range<unknown>,
): SpanOptions {
  return {
    kind: 'consumer',
    root: true,
    links: range.items.slice(0, 8 * maxLinks).map(({ message }) => traceparentOf(message)),
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': range.items.length,
      'delivery.epoch': epoch,
      'delivery.offset.first': String(nextOffset),
      'delivery.offset.next': String(range.nextOffset),
    },
  };
}

const traceparentHeader = base64('traceparent');

function traceparentOf({ headers }: LogMessage): string | undefined {
  const value = headers[traceparentHeader];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('latin1');
}

/** Header names and values are kept in this form: they may be any bytes. */
export function base64(bytes: Buffer | string): string {
  return Buffer.from(bytes).toString('base64');
}
