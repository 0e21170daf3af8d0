import { logLevel, type logCreator } from 'kafkajs';

/** What Nest's Logger and pino both offer. */
export interface KafkaLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Said at each start while the coordinator loads, and repeated by kafkajs itself. */
const harmless = /The group coordinator is not available|The coordinator is loading|This server does not host this topic-partition|The group is rebalancing|not aware of this member/;

export function toLogCreator(logger: KafkaLogger): logCreator {
  return () => (entry) => {
    const { message, error } = entry.log;
    const text = `${message} ${String(error ?? '')}`;
    if (harmless.test(text)) return;
    const fields = { kafka: message, ...(error !== undefined && { error: String(error) }) };
    if (entry.level === logLevel.ERROR) logger.error(fields, 'kafka client error');
    else if (entry.level === logLevel.WARN) logger.warn(fields, 'kafka client warning');
  };
}
