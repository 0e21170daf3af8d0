import { randomBytes } from 'node:crypto';
import {
  type DeliveredLine,
  eventsTopic,
  type FoundObject,
  judge,
  Ledger,
  logEnds,
  OracleProducer,
  type ProducerTarget,
  readDelivery,
  readLog,
  type Verdict,
  workload,
} from '../oracle';
import type { StackEnvironment } from '../stack';
import { Client } from './client';
import { type CreatedExport, createExports } from './exports';
import { newOrganization, untilRecorded } from './platform';
import { rejectionReasons } from './rejections';
import { type DemoReports, runReports } from './reports';
import { postEvents } from './rest-events';
import { verifyDelivery } from './verify-delivery';

export interface DemoPlatform {
  environment: StackEnvironment;
  urls: { api: string; ingest: string; downloads: string };
  say: (line: string) => void;
}

export interface JudgedDelivery {
  exportId: string;
  kind: 's3' | 'gcs';
  /** Bucket and prefix of the export. */
  url: string;
  bucketUrl: string;
  objects: FoundObject[];
  sample: DeliveredLine | undefined;
  verdict: Verdict;
  verified: boolean;
  /** The verifier's own words. */
  report: string;
}

export interface DemoResult {
  organization: string;
  key: { id: string; secret: string };
  produced: number;
  restEvents: number;
  recorded: number;
  duplicates: number;
  rejected: number;
  rejectedBecause: Record<string, number>;
  deliveries: JudgedDelivery[];
  analytics: DemoReports;
  /** Seconds of each phase. */
  phases: Record<string, number>;
}

/** The whole way: produce, record, export to two clouds, read back and judge. */
export async function runDemo(
  platform: DemoPlatform,
  size: { messages: number; users: number; interactions: number },
): Promise<DemoResult> {
  const { environment, urls, say } = platform;
  const phases: Record<string, number> = {};
  const organization = `demo-${randomBytes(4).toString('hex')}`;
  const key = await newOrganization(environment, organization);
  const client = await Client.signIn(urls.api, organization, key);
  say(`organization ${organization}: creating an S3 and a GCS export with the contract's own requests`);
  const created = await createExports(client, urls.api, environment);

  const brokers = (environment['KAFKA_BROKERS'] ?? '').split(',');
  const prefix = environment['KAFKA_TOPIC_PREFIX'] ?? '';
  const topic = `${prefix}${eventsTopic}`;
  const from = await logEnds(brokers, topic);
  const before = await untilRecorded(environment, from);
  const ledger = new Ledger();
  say(`publishing ${size.messages} messages of ${size.users} users from a Kafka producer, and events over REST`);
  const restEvents = await timed(phases, 'produce', async () => {
    const [, posted] = await Promise.all([
      publish({ brokers, topicPrefix: prefix }, ledger, { organization, messages: size.messages, users: size.users }),
      postEvents(client, urls.ingest, ledger),
    ]);
    return posted;
  });
  const ends = await logEnds(brokers, topic);
  const after = await timed(phases, 'record', () => untilRecorded(environment, ends));
  ledger.locate(await readLog({ brokers, topic, from }));

  say('running both exports now');
  await timed(phases, 'deliver', () => Promise.all(created.map(({ exportId }) => client.runNow(urls.api, exportId))));
  say('reading the files back');
  const deliveries = await timed(phases, 'check', () =>
    Promise.all(created.map((each) => readBack(each, organization, ledger, environment))),
  );
  const rejectedBecause = await rejectionReasons(brokers, prefix, ledger);
  const analytics = await timed(phases, 'reports', () => runReports(platform, client, size.interactions));
  return {
    organization,
    key,
    produced: ledger.produced.length,
    restEvents,
    recorded: after.recorded - before.recorded,
    duplicates: after.duplicates - before.duplicates,
    rejected: after.rejected - before.rejected,
    rejectedBecause,
    deliveries,
    analytics,
    phases,
  };
}

interface Size {
  organization: string;
  messages: number;
  users: number;
}

/** As any company would: an ordinary producer that knows nothing of the platform but topic and format. */
async function publish(target: ProducerTarget, ledger: Ledger, size: Size): Promise<void> {
  const producer = await OracleProducer.connect(target, ledger);
  await producer.send(workload({ ...size, guests: 0.05, poison: true }));
  await producer.disconnect();
}

async function readBack(
  created: CreatedExport,
  organization: string,
  ledger: Ledger,
  environment: StackEnvironment,
): Promise<JudgedDelivery> {
  const { exportId, kind, bucket, bucketUrl } = created;
  const prefix = `data/export-id=${exportId}/`;
  const delivery = await readDelivery(bucket, exportId);
  const url = `${bucketUrl}/${prefix}`;
  const { ok, report } = await verifyDelivery(url, environment);
  return {
    exportId,
    kind,
    url,
    bucketUrl,
    objects: await bucket.list(prefix),
    sample: sampleOf(delivery.runs[0]?.lines ?? []),
    verdict: judge(ledger, { organizationId: organization, exportId, delivery }),
    verified: ok,
    report,
  };
}

/** The shortest line that shows a history. */
function sampleOf(lines: readonly DeliveredLine[]): DeliveredLine | undefined {
  const histories = lines
    .filter(({ events }) => events.length > 1)
    .map((line) => ({ line, length: JSON.stringify(line).length }));
  return histories.sort((a, b) => a.length - b.length)[0]?.line ?? lines[0];
}

async function timed<T>(phases: Record<string, number>, name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  phases[name] = Number(((performance.now() - began) / 1000).toFixed(1));
  return result;
}
