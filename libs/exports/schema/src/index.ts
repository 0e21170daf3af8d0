export { deliveredEventSchema, deliveredLineSchema } from './delivered-line.schema';
export { deliveredMetricSchema } from './delivered-metric.schema';
export { manifestSchema } from './manifest.schema';
export { RunChangedMessage, RunRequestedMessage } from './run.messages';
export { type ExporterKind, runChanged, runChangedTopic, runRequested, runRequestedTopics, topicSpecs } from './topics';
