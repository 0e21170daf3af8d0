import { logLevel, type logCreator, type LogEntry } from 'kafkajs';

/** What Nest's Logger and pino both offer. */
export interface KafkaLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Lines that kafkajs logs as errors or warnings though nothing is wrong: a coordinator that is still loading or a group
 * that rebalances is asked again by kafkajs itself, and we bound the idempotent producer's retries and close clients on
 * purpose.
 */
const harmless =
  /this client was closed|coordinator is not available|coordinator is loading|is loading and hence|group is rebalancing|not aware of this member|Limiting retries for the idempotent producer/i;

const repeatAfterMs = 10_000;

/**
 * Gives kafkajs' warnings and errors to our logger, both as warnings: kafkajs retries nearly all of them, and what it
 * gives up on is thrown and logged where it is handled. During an outage the same line comes many times a second: each
 * is told once in ten seconds.
 */
export function toLogCreator(logger: KafkaLogger | undefined): logCreator {
  const toldAt = new Map<string, number>();
  return () => (entry: LogEntry) => {
    if (logger === undefined || entry.level > logLevel.WARN) return;
    const { message, error, topic, partition, broker } = entry.log;
    const text = `${message} ${error === undefined ? '' : String(error)}`.trim();
    const now = performance.now();
    if (harmless.test(text) || now - (toldAt.get(text) ?? -Infinity) < repeatAfterMs) return;
    if (toldAt.size > 100) toldAt.clear();
    toldAt.set(text, now);
    logger.warn({ client: entry.namespace, detail: text, topic, partition, broker }, 'kafka client warning');
  };
}
