export const stackErrorCodes = ['tools_missing', 'bad_setting', 'part_failed', 'external_unreachable'] as const;
export type StackErrorCode = (typeof stackErrorCodes)[number];

/** The local stack cannot start; the message says what to do. */
export class StackError extends Error {
  constructor(
    readonly code: StackErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StackError';
  }

  /** 78 (EX_CONFIG): somebody has to install or change something; starting again does not help. */
  get exitCode(): number {
    return this.code === 'tools_missing' || this.code === 'bad_setting' ? 78 : 1;
  }
}

/** What went wrong, with the reason below it: of "fetch failed" the reason is all that helps. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  const parts = [error.message, reason === undefined ? '' : messageOf(reason)];
  return parts.filter((part) => part !== '').join(': ') || error.name;
}

/** The code of a Node error; by its shape, because a test's `Error` is not the one of Node's own modules. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
