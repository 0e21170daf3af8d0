export { BatchConsumer, type BatchConsumerOptions, type FetchedBatch, type FetchedMessage } from './batch-consumer';
export { KafkaConnection, type Watermarks } from './connection';
export { KafkaError, kafkaErrorCodes, mapKafkaError, type KafkaErrorCode } from './errors';
export { KafkaConfig } from './kafka.config';
export type { KafkaLogger } from './logger';
export { maxValueBytes, Publisher, type OutgoingMessage, type PublishedAt } from './publisher';
export { RunNudgeStrategy } from './run-nudge-strategy';
export { requiredTopicConfig, type Topic, type TopicSpec } from './topic';
export { TopicAdmin, type RawMessage } from './topic-admin';
