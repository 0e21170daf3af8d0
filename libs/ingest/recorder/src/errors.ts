export const recorderErrorCodes = ['unfit_topic', 'no_position'] as const;
export type RecorderErrorCode = (typeof recorderErrorCodes)[number];

/** The recorder cannot work as the log or the database is; the message says what to change. */
export class RecorderError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: RecorderErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'RecorderError';
    this.retryable = code !== 'unfit_topic';
  }
}
