export const EXPORT_FAULT_CODES = [
  'invalid_positions',
  'invalid_window',
  'invalid_layout',
  'invalid_layout_value',
  'invalid_split',
  'invalid_cadence',
  'not_canonical',
  'unsupported_spec',
] as const;

export type ExportFaultCode = (typeof EXPORT_FAULT_CODES)[number];

/** Something stored or configured cannot be what it claims to be. Never passes by repeating. */
export class ExportFault extends Error {
  override readonly name = 'ExportFault';
  readonly retryable = false;

  constructor(
    readonly code: ExportFaultCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
