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

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
