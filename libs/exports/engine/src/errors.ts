import { RUN_RESULT_CODES, type RunResultCode } from '@delivery/exports/domain';

/** Why a run cannot go on. `message` is a sentence for the integration's owner. */
export class RunFault extends Error {
  override readonly name = 'RunFault';
  readonly retryable: boolean;

  constructor(
    readonly code: RunResultCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retryable = RUN_RESULT_CODES[code];
  }
}

/** The run belongs to another attempt now, or to none: nothing more may be written, neither to the bucket nor to its row. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor(why: string) {
    super(`The run is no longer held: ${why}.`);
  }
}
