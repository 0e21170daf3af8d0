import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { downloaded, ensureDownload, kafkaDownload } from '../download';
import { freePort } from '../ports';
import { markedEnvironment, startDetached } from '../processes';
import { java, maven } from '../tools';
import type { Part } from './part';

const execute = promisify(execFile);

/** A bit above the largest event of 1 MB, which travels with its key and headers. */
export const maxMessageBytes = 1_200_000;

const logging = { defaultLogLevel: 'warn', showDateTime: 'true', dateTimeFormat: 'yyyy-MM-dd HH:mm:ss.SSS' };
const jvm = [
  ...['-Xmx512m', '-Xms256m', '-XX:+UseG1GC'],
  ...Object.entries(logging).map(([name, value]) => `-Dorg.slf4j.simpleLogger.${name}=${value}`),
];

/** One Apache Kafka node that is broker and controller (KRaft). */
export const kafka: Part = {
  name: 'kafka',
  port: 19092,
  image: 'apache/kafka:4.1.0',
  contents: 'kept',
  stopSignal: 'SIGTERM',
  tools: () => (downloaded(kafkaDownload) ? [java] : [java, maven]),
  prepare: (progress) => ensureDownload(kafkaDownload, progress),
  async start({ prepared, data, log, port, stack }) {
    const classpath = join(prepared, 'libs', '*');
    const config = join(data, 'server.properties');
    writeFileSync(config, properties(data, port, await freePort(port + 1)));
    if (!existsSync(join(data, 'log', 'meta.properties'))) {
      // With an equals sign: one id in 64 begins with a hyphen, and would be taken for an option.
      const id = `--cluster-id=${randomBytes(16).toString('base64url')}`;
      const format = ['kafka.tools.StorageTool', 'format', id, '-c', config, '--standalone'];
      await execute('java', ['-cp', classpath, ...format], { env: markedEnvironment(stack) });
    }
    return startDetached('java', [...jvm, '-cp', classpath, 'kafka.Kafka', config], { log, cwd: data, stack });
  },
  async probe(port) {
    const timeouts = { connectionTimeout: 2000, requestTimeout: 5000, retry: { retries: 0 } };
    const client = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, ...timeouts });
    const admin = client.admin();
    try {
      await admin.connect();
      const { brokers, controller } = await admin.describeCluster();
      if (brokers.length === 0 || controller === null) throw new Error('the cluster has no controller yet');
    } finally {
      await admin.disconnect();
    }
  },
};

function properties(data: string, port: number, controller: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    ...listeners(port, controller),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(data, 'log'),
    ...brokerSettings,
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.num.partitions': '5',
    // After a kill, the controller waits as long before it lets the same broker in again (9 s by default).
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
    // Expired segments go within seconds: tests of lost retention do not wait five minutes.
    'log.retention.check.interval.ms': '5000',
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/**
 * A broker tells its clients where to connect, so whoever puts a proxy before it needs a listener that names the proxy:
 * `STACK_KAFKA_PROXIED=<port it listens on>:<port it tells>`.
 */
function listeners(port: number, controller: number) {
  const [own, told] = process.env['STACK_KAFKA_PROXIED']?.split(':') ?? [];
  const list = (proxied: string | undefined) =>
    [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controller}`]
      .concat(proxied === undefined ? [] : `PROXIED://127.0.0.1:${proxied}`)
      .join(',');
  return { listeners: list(own), 'advertised.listeners': list(told), 'inter.broker.listener.name': 'PLAINTEXT' };
}

/** Settings that hold for a container as well. */
export const brokerSettings = {
  // Topics come from `npm run topics`: one made by accident would lack log-append times.
  'auto.create.topics.enable': 'false',
  'message.max.bytes': String(maxMessageBytes),
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
} as const;
