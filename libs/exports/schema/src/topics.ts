import type { RunChangedMessage, RunRequestedMessage } from './run.messages';

const DAY_MS = 86_400_000;

/** Kinds of destinations that have an exporter. */
export type ExporterKind = 's3' | 'gcs';

export const runRequestedTopics: Readonly<Record<ExporterKind, string>> = {
  s3: 'exports.runs.requested.s3.v1',
  gcs: 'exports.runs.requested.gcs.v1',
};
export const runChangedTopic = 'exports.runs.changed.v1';

/** Nudges for the exporters of one kind of destination. */
export const runRequested = {
  s3: nudges('s3'),
  gcs: nudges('gcs'),
} as const;

/** For whoever tells people about their exports. */
export const runChanged = {
  name: runChangedTopic,
  /** All changes of one integration in order. */
  key: (message: RunChangedMessage): string => `${message.organization_id}:${message.export_id}`,
  encode: (message: RunChangedMessage): Buffer => Buffer.from(JSON.stringify(message)),
  decode: (bytes: Buffer): RunChangedMessage => JSON.parse(bytes.toString('utf8')) as RunChangedMessage,
};

function nudges(kind: ExporterKind) {
  return {
    name: runRequestedTopics[kind],
    /** Spread over the exporters: any of them may claim any run. */
    key: (message: RunRequestedMessage): string => message.run_id,
    encode: (message: RunRequestedMessage): Buffer => Buffer.from(JSON.stringify(message)),
    decode: (bytes: Buffer): RunRequestedMessage => JSON.parse(bytes.toString('utf8')) as RunRequestedMessage,
  };
}

/** What the topics step creates. Nudges are worth nothing after an hour: the scheduler sends them again long before. */
export function topicSpecs(partitions: number) {
  const nudge = { partitions, config: { 'retention.ms': String(DAY_MS / 24) } };
  return [
    { name: runRequestedTopics.s3, ...nudge },
    { name: runRequestedTopics.gcs, ...nudge },
    { name: runChangedTopic, partitions: 1, config: { 'retention.ms': String(7 * DAY_MS) } },
  ];
}
