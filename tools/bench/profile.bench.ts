import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@delivery/platform/postgres';
import { timeBySubject, type CpuProfile } from './cpu-profile';
import { recordOnce, type RecordOptions } from './record.bench';

/**
 * What each microsecond of recording goes to: of the recorder by what its functions are for, of Postgres by statement.
 * Profiling itself takes a tenth.
 */
export async function benchProfile(options: RecordOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'cpu-profile-'));
  const perEvent = (milliseconds: number) => Math.round((milliseconds / options.events) * 10_000) / 10;
  try {
    let statements: Statement[] = [];
    const measured = await recordOnce(options, {
      nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'],
      begin: resetStatements,
      end: async (database) => void (statements = await statementsOf(database)),
    });
    return {
      benchmark: 'what each microsecond of recording goes to',
      options,
      eventsPerSecond: Math.round(options.events / measured.seconds),
      recorderMicrosecondsPerEvent: Object.fromEntries(
        [...timeBySubject(readProfile(folder))]
          .sort(([, a], [, b]) => b - a)
          .map(([subject, milliseconds]) => [subject, perEvent(milliseconds)]),
      ),
      postgresMicrosecondsPerEvent: statements.map(({ statement, milliseconds, calls, walBytes }) => ({
        statement,
        calls,
        microseconds: perEvent(milliseconds),
        walBytes: Math.round(walBytes / options.events),
      })),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readProfile(folder: string): CpuProfile {
  const [file = ''] = readdirSync(folder);
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

interface Statement {
  statement: string;
  calls: number;
  milliseconds: number;
  walBytes: number;
}

async function resetStatements(database: Database): Promise<void> {
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await database.query('SELECT pg_stat_statements_reset()');
}

/** Those that took a hundredth of all at least. Waiting for a lock or a flush of the log counts as theirs. */
async function statementsOf(database: Database): Promise<Statement[]> {
  return database.query<Statement>(
    `SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 60) AS statement, calls::int, total_exec_time AS milliseconds,
       wal_bytes::float8 AS "walBytes"
     FROM pg_stat_statements JOIN pg_database ON oid = dbid
     WHERE datname = current_database() AND total_exec_time > 0.01 * (SELECT sum(total_exec_time) FROM pg_stat_statements)
     ORDER BY total_exec_time DESC`,
  );
}
