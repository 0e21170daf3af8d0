import { AsyncLocalStorage } from 'node:async_hooks';
import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { LogLevel } from './log.config';
import { redact, redactText } from './redact';

const context = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();

/** Adds fields (a request's id, a run's id) to every line logged inside `work`, across its awaits. */
export function runInLogContext<T>(fields: Readonly<Record<string, unknown>>, work: () => T): T {
  return context.run({ ...context.getStore(), ...fields }, work);
}

/**
 * The pino logger of a service: JSON lines, ISO times, secrets removed twice, by field name and by look.
 *
 * @param stream - where lines go; standard output unless a test looks at them
 */
export function createLogger(service: string, level: LogLevel, stream?: DestinationStream): PinoLogger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => context.getStore() ?? {},
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(toFields(redact(fields)))),
    },
    // pino's own serializer for errors would copy every property an SDK hung on them.
    serializers: { err: redact },
    hooks: { streamWrite: redactText },
  };
  // Lines are few and a crash must not lose the last one: written synchronously.
  return pino(options, stream ?? pino.destination({ dest: 1, sync: true }));
}

function toFields(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : { value };
}

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Nest announces every module and route it finds; only of use when something is wrong with the wiring. */
const CHATTY = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'NestMicroservice',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Nest logs why it could not start and throws it as well: who starts the service tells it, once. */
const TOLD_TWICE = new Set<unknown>(['ExceptionHandler', 'NestApplication']);

/**
 * Makes Nest's `Logger` write to pino, so that libraries need to know only `@nestjs/common`:
 * `logger.warn({ topic, partition }, 'the partition is stopped')`, or `logger.error({ err }, 'the run failed')`.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: PinoLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    if (TOLD_TWICE.has(rest.at(-1))) return;
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest appends the logger's context; `error` may carry a stack (or `undefined` in its place) before it. */
  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const texts = rest.filter((item) => typeof item === 'string');
    const fields = Object.assign(
      {},
      ...rest.filter(isObject).map(fieldsOf),
      isObject(message) ? fieldsOf(message) : {},
    );
    const text = isObject(message) ? texts.shift() : String(message);
    const stack = texts.length > 0 && isStack(texts[0]) ? texts.shift() : undefined;
    const name = texts.at(-1);
    const shown = level === 'info' && name !== undefined && CHATTY.has(name) ? 'debug' : level;
    const all = {
      ...(name === undefined ? {} : { context: name }),
      ...(stack === undefined ? {} : { stack }),
      ...fields,
    };
    this.pino[shown](all, text);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function fieldsOf(value: object): object {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]' ? { err: value } : value;
}

function isStack(text: string | undefined): boolean {
  return text !== undefined && /\n\s+at /.test(text);
}
