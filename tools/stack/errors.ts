export const stackErrorCodes = ['tools_missing', 'part_failed', 'external_unreachable'] as const;
export type StackErrorCode = (typeof stackErrorCodes)[number];

/** The local stack cannot start; the message says what to do. */
export class StackError extends Error {
  constructor(
    readonly code: StackErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'StackError';
  }
}
