import { ConfigError } from '@delivery/platform/config';
import { DatabaseError } from '@delivery/platform/postgres';
import { stackEnvironment } from '@delivery/platform/testing';
import { AdminError } from './errors';
import { runCommand } from './run-command';

const USAGE_EXIT_CODE = 64;
/** Postgres's code for a table that is not there. */
const UNDEFINED_TABLE = '42P01';

/** Without a database of the operator's own, the local stack is meant. */
function environment(): NodeJS.ProcessEnv {
  return process.env['DATABASE_URL'] ? process.env : stackEnvironment();
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return error.exitCode;
  return error instanceof AdminError && error.code === 'usage' ? USAGE_EXIT_CODE : 1;
}

function sentenceOf(error: unknown): string {
  if (error instanceof DatabaseError && error.sqlState === UNDEFINED_TABLE) {
    return `The database lacks tables of this version: npm run migrate (${error.message}).`;
  }
  return error instanceof Error ? error.message : String(error);
}

runCommand(process.argv.slice(2), environment)
  .then((answer) => void process.stdout.write(answer))
  .catch((error: unknown) => {
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  });
