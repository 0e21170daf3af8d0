import { Env } from '@delivery/platform/config';
import { IsBoolean, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';

const isPostgresUrl = /^postgres(ql)?:\/\//;
const overrulingParameter = /\?(.*&)?(ssl\w*|options)=/;

/**
 * pg takes the parameters of a URL before all else: `sslmode=disable` would switch TLS off in spite of DATABASE_SSL, and
 * `options` would lose the role and its limits.
 */
function LeavesSettingsAlone(): PropertyDecorator {
  return ValidateBy({
    name: 'no ssl or options parameters',
    validator: {
      validate: (url: unknown) => typeof url === 'string' && !overrulingParameter.test(url),
      defaultMessage: () =>
        '$property must have no ssl or options parameters: use DATABASE_SSL, DATABASE_SSL_CA and DATABASE_ROLE',
    },
  });
}

/** How a process reaches Postgres (16 or newer). */
export class PostgresConfig {
  @Env({
    name: 'DATABASE_URL',
    description: 'Connection URL of the Postgres database.',
    example: 'postgres://delivery:secret@db.internal:5432/delivery',
    secret: true,
  })
  @Matches(isPostgresUrl, { message: 'must begin with postgres:// or postgresql://' })
  @LeavesSettingsAlone()
  url: string;

  @Env({
    name: 'DATABASE_READ_URL',
    description: 'Connection URL of a read replica for exports; the main database when not set.',
    secret: true,
  })
  @IsOptional()
  @Matches(isPostgresUrl, { message: 'must begin with postgres:// or postgresql://' })
  @LeavesSettingsAlone()
  readUrl?: string;

  @Env({ name: 'DATABASE_SSL', description: 'Use TLS and verify the server certificate and name.', default: 'false' })
  @IsBoolean()
  ssl: boolean;

  @Env({ name: 'DATABASE_SSL_CA', description: 'PEM certificate of the authority that signed the server certificate.' })
  @IsOptional()
  sslCa?: string;

  @Env({
    name: 'DATABASE_ROLE',
    description: 'Role to work as after connecting; the login must be a member of it. Empty keeps the login.',
    default: '',
    example: 'delivery_ingest',
  })
  @Matches(/^[a-z_][a-z0-9_]*$|^$/, { message: 'must be a lower-case role name' })
  role: string;

  @Env({ name: 'DATABASE_POOL_SIZE', description: 'Most connections this process holds.', default: '10' })
  @IsInt()
  @Min(1)
  @Max(500)
  poolSize: number;

  @Env({
    name: 'DATABASE_POOL_WAIT_SECONDS',
    description:
      'Seconds that callers may wait for a connection, all of which are in use, until the process is unready.',
    default: '10',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  poolWaitSeconds: number;

  @Env({
    name: 'DATABASE_STATEMENT_TIMEOUT_MS',
    description: 'Milliseconds after which a statement is cancelled; exports set their own.',
    default: '60000',
  })
  @IsInt()
  @Min(1000)
  @Max(3_600_000)
  statementTimeoutMs: number;

  @Env({
    name: 'DATABASE_IDLE_TRANSACTION_TIMEOUT_MS',
    description: 'Milliseconds after which Postgres ends a connection that does nothing inside a transaction.',
    default: '60000',
  })
  @IsInt()
  @Min(1000)
  @Max(3_600_000)
  idleInTransactionTimeoutMs: number;
}
