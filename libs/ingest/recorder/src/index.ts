export { RecorderError, recorderErrorCodes } from './errors';
export { KnownOrganizations, rejectUnknownOrganization } from './known-organizations';
export { provideRecorder, RecordService, type Recording } from './record.service';
export { Recorder, type RecorderDeps, type RecorderOptions } from './recorder';
export { RecorderConfig } from './recorder.config';
export { observeRecorder, recorderMetricSpecs } from './recorder-metrics';
export { recordedBeyond } from './recording-order';
export type { LogMessage, LogSource, Prepared, RecordOutcome, TopicRecorder } from './topic-recorder';
export type { RecorderObserver } from './recorder-observer';
