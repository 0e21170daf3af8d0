import { isNativeError } from 'node:util/types';
import { QueryFailedError } from 'typeorm';

export const databaseErrorCodes = [
  'unavailable',
  'conflict',
  'refused_value',
  'permission_denied',
  'timeout',
  /** The database is of an older version: the migrate step has to run first. */
  'not_migrated',
  'failed',
] as const;
export type DatabaseErrorCode = (typeof databaseErrorCodes)[number];

/** Postgres failed or refused. `sqlState` is its five-character code where it answered at all. */
export class DatabaseError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: DatabaseErrorCode,
    message: string,
    readonly sqlState: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DatabaseError';
    this.retryable = code === 'unavailable' || code === 'conflict' || code === 'timeout';
  }
}

/** Codes of node's sockets and pg's own sentences for a connection that is not there any more. */
const connectionLost =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i;

const tlsRefused = /certificate|CERT_|ERR_TLS|SSL connections|wrong version number/i;

/** Maps what pg or TypeORM threw; anything that is not of the database comes back as it is. */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof DatabaseError || !isNativeError(error)) return error;
  const driver: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const state = sqlStateOf(driver);
  if (state !== undefined)
    return new DatabaseError(codeOf(state), `Postgres: ${error.message}`, state, { cause: error });
  const text = `${nodeCodeOf(driver) ?? ''} ${error.message}`;
  if (tlsRefused.test(text)) {
    const advice = 'check DATABASE_SSL, DATABASE_SSL_CA and the host name in DATABASE_URL';
    return new DatabaseError('failed', `Postgres: TLS failed (${error.message}): ${advice}`, undefined, {
      cause: error,
    });
  }
  if (connectionLost.test(text)) {
    return new DatabaseError('unavailable', `Postgres cannot be reached: ${error.message || text.trim()}`, undefined, {
      cause: error,
    });
  }
  return error;
}

/** What to change, for the mistakes by which a connection cannot be made at all. */
const connectAdvice: readonly (readonly [RegExp, string])[] = [
  [/^28P01 /, 'correct the user and password in DATABASE_URL'],
  // Of a server that takes TLS only; pg_hba.conf is its list of who may connect how.
  [/^28000 .*no encryption/, 'set DATABASE_SSL=true, or let pg_hba.conf of the server accept this login without TLS'],
  [/^28000 /, 'correct the user in DATABASE_URL, or let pg_hba.conf of the server accept it'],
  [/^3D000 /, 'create the database, or correct its name in DATABASE_URL'],
  [/^22023 .*role/, 'the migrations make the roles: run the migrate step first (npm run migrate)'],
  [/^42501 .*set role/, 'make the login in DATABASE_URL a member of the role (GRANT <role> TO <login>)'],
  [/^53300 /, "raise the server's max_connections, or lower DATABASE_POOL_SIZE"],
];

/** The same for the first connection, with advice: whoever reads it is setting something up. */
export function mapConnectError(error: unknown): unknown {
  const mapped = mapDatabaseError(error);
  if (!(mapped instanceof DatabaseError)) return mapped;
  const { code, message, sqlState } = mapped;
  const known = connectAdvice.find(([pattern]) => pattern.test(`${sqlState} ${message}`))?.[1];
  const advice = known ?? (code === 'unavailable' ? 'check that it runs, and DATABASE_URL' : undefined);
  if (advice === undefined) return mapped;
  return new DatabaseError(code, `${message}; ${advice}`, sqlState, { cause: mapped.cause });
}

function codeOf(state: string): DatabaseErrorCode {
  const group = state.slice(0, 2);
  if (state === '40001' || state === '40P01') return 'conflict';
  // 54000: a value beyond what a row or an index can hold.
  if (group === '22' || group === '23' || state === '54000') return 'refused_value';
  if (state === '42501' || group === '28') return 'permission_denied';
  // Cancelled by a time-out, no lock in time, idle in a transaction for too long.
  if (state === '57014' || state === '55P03' || state === '25P03' || state === '25P04') return 'timeout';
  // 53: out of resources (too many connections, disk full), 57P: shutting down, 08: connection, 25006: failed over to a replica.
  if (group === '08' || group === '53' || state.startsWith('57P') || state === '25006') return 'unavailable';
  return 'failed';
}

function sqlStateOf(error: unknown): string | undefined {
  const code = nodeCodeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code) ? code : undefined;
}

function nodeCodeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return nodeCodeOf(error.errors[0]);
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
