import { Env } from '@delivery/platform/config';
import { IsIn } from 'class-validator';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** How much a service logs. One JSON object per line on standard output. */
export class LogConfig {
  @Env({ name: 'LOG_LEVEL', description: 'The least severe level that is logged.', default: 'info', example: 'debug' })
  @IsIn(LEVELS)
  level: LogLevel;
}
