export const ingestErrorCodes = ['unknown_topic', 'unknown_partition'] as const;
export type IngestErrorCode = (typeof ingestErrorCodes)[number];

/** A recorder's bookkeeping was asked for something that does not exist. Never retryable. */
export class IngestError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: IngestErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'IngestError';
  }
}
