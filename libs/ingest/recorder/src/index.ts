export { RecorderError, recorderErrorCodes } from './errors';
export { Recorder, type RecorderDeps, type RecorderOptions } from './recorder';
export { recordedBeyond } from './recording-order';
export type { LogMessage, LogSource, Prepared, RecordOutcome, TopicRecorder } from './topic-recorder';
export type { RecorderObserver } from './recorder-observer';
