/** The exit code of a process that was configured wrongly (`EX_CONFIG` of sysexits.h): restarting it cannot help. */
export const CONFIG_EXIT_CODE = 78;

/** One thing that is wrong with one environment variable. Never carries the value of a secret. */
export interface ConfigFault {
  readonly variable: string;
  /** What is wrong, naming the variable. */
  readonly message: string;
  /** What the variable is for. */
  readonly description: string;
  /** A value that would be accepted, if one is documented. */
  readonly example?: string;
}

/** All faults of a configuration at once, so that they are repaired in one go. */
export class ConfigError extends Error {
  readonly code = 'invalid_config';
  readonly retryable = false;
  readonly exitCode = CONFIG_EXIT_CODE;

  constructor(readonly faults: readonly ConfigFault[]) {
    super(['The configuration is not valid:', ...faults.map(faultLine)].join('\n'));
    this.name = 'ConfigError';
  }
}

function faultLine(fault: ConfigFault): string {
  const example = fault.example === undefined ? '' : ` Example: ${fault.variable}=${fault.example}`;
  return `  - ${fault.message}. ${fault.description}${example}`;
}
