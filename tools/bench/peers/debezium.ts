import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Download, ensureDownload, lastLines } from '../../stack/download';
import type { Contender, Measured } from '../contest';
import { consentEvents, take } from '../generator';
import { postgresCpuSeconds, processUsage } from '../measure';
import { openRig, type Rig, say, stopApp } from '../rig';

const run = promisify(execFile);
/** One that the rig makes anyhow, with as many partitions as the platform reads. */
const TOPIC = 'consent.events.v1';

const download: Download = {
  name: 'bench-debezium-jdbc-3.4.0',
  file: 'libs/debezium-connector-jdbc-3.4.0.Final.jar',
  what: 'debezium: downloading Kafka Connect 4.1.0 and the JDBC sink 3.4.0',
  async fill(dir) {
    writeFileSync(join(dir, 'pom.xml'), pom());
    const goal = ['dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-f', 'pom.xml', ...goal], { cwd: dir });
  },
};

/** Kafka Connect with Debezium's JDBC sink: upserts three columns, and knows no heads, revisions or users. */
export async function debeziumPeer(options: { events: number; users: number; partitions: number }): Promise<Contender> {
  const libs = join(await ensureDownload(download, say), 'libs', '*');
  return {
    name: 'Debezium JDBC sink 3.4, 2 tasks',
    note: 'upserts id, user and document; no revisions, no user state',
    run: () => sinkOnce(libs, options),
  };
}

async function sinkOnce(
  libs: string,
  options: { events: number; users: number; partitions: number },
): Promise<Measured> {
  const rig = await openRig(options.partitions);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    await rig.database.query('CREATE TABLE sink (id text PRIMARY KEY, user_id text NOT NULL, document text NOT NULL)');
    await publish(rig, options);
    const connect = start(libs, folder, rig);
    try {
      return await measure(rig, connect, options.events, logOf(folder));
    } finally {
      await stopApp(connect);
    }
  } finally {
    await rm(folder, { recursive: true });
    await rig.close();
  }
}

/** From the first rows on: Connect's start of a dozen seconds is left out. */
async function measure(rig: Rig, connect: ChildProcess, events: number, log: string): Promise<Measured> {
  const pid = connect.pid ?? 0;
  const now = async () => ({
    rows: await rowsOf(rig),
    at: performance.now(),
    cpu: processUsage(pid).cpuSeconds,
    postgres: await postgresCpuSeconds(rig.database),
  });
  const until = async (rows: number) => {
    while ((await rowsOf(rig)) < rows) {
      if (connect.exitCode !== null) throw new Error(`Kafka Connect ended:\n${lastLines(log, 15)}`);
      await delay(50);
    }
    return now();
  };
  const began = await until(1);
  const ended = await until(events);
  const share = events / (events - began.rows);
  return {
    seconds: ((ended.at - began.at) / 1000) * share,
    cpuSeconds: (ended.cpu - began.cpu) * share,
    postgresCpuSeconds: (ended.postgres - began.postgres) * share,
    peakRssMb: processUsage(pid).peakRssMb,
  };
}

async function rowsOf({ database }: Rig): Promise<number> {
  const [row] = await database.query<{ rows: string }>('SELECT count(*) AS rows FROM sink');
  return Number(row?.rows);
}

/** As JSON with its schema in each message: what the sink's converter takes. */
async function publish(rig: Rig, { events, users }: { events: number; users: number }): Promise<void> {
  const string = (field: string) => ({ type: 'string', optional: false, field });
  const fields = ['id', 'user_id', 'document'].map(string);
  const schema = { type: 'struct', optional: false, name: 'event', fields };
  const generator = consentEvents({ organization: 'acme', users });
  for (let sent = 0; sent < events; sent += 500) {
    const messages = take(generator, Math.min(500, events - sent)).map((event, n) => {
      const id = event.id ?? `event-${sent + n}`;
      const payload = { id, user_id: event.user?.organization_user_id ?? '', document: JSON.stringify(event) };
      return { key: id, value: Buffer.from(JSON.stringify({ schema, payload })) };
    });
    await rig.connection.publisher().publish(TOPIC, messages);
  }
}

function start(libs: string, folder: string, rig: Rig): ChildProcess {
  const url = new URL(rig.environment['DATABASE_URL'] ?? '');
  const worker = properties(folder, 'worker.properties', {
    'bootstrap.servers': rig.environment['KAFKA_BROKERS'] ?? '',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    'offset.storage.file.filename': join(folder, 'offsets'),
    'consumer.auto.offset.reset': 'earliest',
    'consumer.max.poll.records': '2000',
    'plugin.discovery': 'service_load',
    listeners: 'http://127.0.0.1:0',
  });
  const sink = properties(folder, 'sink.properties', {
    name: url.pathname.slice(1),
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    'tasks.max': '2',
    topics: rig.connection.topicName(TOPIC),
    'connection.url': `jdbc:postgresql://${url.host}${url.pathname}?reWriteBatchedInserts=true`,
    'connection.username': decodeURIComponent(url.username),
    'connection.password': decodeURIComponent(url.password),
    'insert.mode': 'upsert',
    'primary.key.mode': 'record_value',
    'primary.key.fields': 'id',
    'collection.name.format': 'sink',
    'schema.evolution': 'none',
    'batch.size': '2000',
    'use.reduction.buffer': 'false',
  });
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  const main = 'org.apache.kafka.connect.cli.ConnectStandalone';
  const log = openSync(logOf(folder), 'w');
  return spawn('java', ['-Xmx2g', ...logging, '-cp', libs, main, worker, sink], { stdio: ['ignore', log, log] });
}

function logOf(folder: string): string {
  return join(folder, 'connect.log');
}

function properties(folder: string, name: string, values: Record<string, string>): string {
  const file = join(folder, name);
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}

function pom(): string {
  const dependencies = [
    ['org.apache.kafka', 'connect-runtime', '4.1.0'],
    ['org.apache.kafka', 'connect-json', '4.1.0'],
    ['io.debezium', 'debezium-connector-jdbc', '3.4.0.Final'],
    ['org.postgresql', 'postgresql', '42.7.7'],
    ['org.slf4j', 'slf4j-simple', '1.7.36'],
  ].map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>connect</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>\n`;
}
