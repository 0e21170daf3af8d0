import { ConfigError, loadConfig } from '@delivery/platform/config';
import { Database, pendingMigrations, PostgresConfig } from '@delivery/platform/postgres';
import { allMigrations, migrateAll } from './migrate-all';

const help = `Brings the database of DATABASE_URL to this version. Repeatable; interrupted, the next call continues.

  npm run migrate               apply what is missing
  npm run migrate -- --dry-run  only tell what is missing; exit code 1 when something is (also: --list)
`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return say(help);
  const onlyTell = ['--dry-run', '--list'];
  const unknown = args.filter((arg) => !onlyTell.includes(arg));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(' ')}\n\n${help}`);
  const config = loadConfig(PostgresConfig);
  if (args.length > 0) {
    const database = await new Database(config, { applicationName: 'migrate' }).open();
    const pending = await pendingMigrations(database, allMigrations);
    await database.close();
    say(pending.length === 0 ? 'The database is up to date.' : pending.join('\n'));
    if (pending.length > 0) process.exitCode = 1;
    return;
  }
  const applied = await migrateAll(config, say);
  say(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.length} migrations.`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
});
