import { randomBytes } from 'node:crypto';
import {
  judge,
  Ledger,
  logEnds,
  eventsTopic,
  gcsSource,
  type ObjectSource,
  OracleProducer,
  readDelivery,
  readLog,
  s3Source,
  type Verdict,
  workload,
  type WireEvent,
} from '../oracle';
import type { Platform } from '../services';
import type { StackEnvironment } from '../stack';
import { Client, serviceAccountKey } from './client';
import { newOrganization, rejectionReasons, untilRecorded } from './platform';
import { verifyDelivery } from './verify-delivery';

export interface DemoOptions {
  messages: number;
  users: number;
  say: (line: string) => void;
}

export interface DeliveredExport {
  exportId: string;
  kind: 's3' | 'gcs';
  url: string;
  keys: string[];
  sampleLine: string;
  verdict: Verdict;
  verified: boolean;
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
  exports: DeliveredExport[];
  seconds: Record<string, number>;
}

const restBatches = 4;
const perBatch = 25;

/** The whole way: produce, record, export to two clouds, read back and judge. */
export async function runDemo(platform: Platform, options: DemoOptions): Promise<DemoResult> {
  const { environment, supervisor } = platform;
  const { say } = options;
  const seconds: Record<string, number> = {};
  const organization = `demo-${randomBytes(3).toString('hex')}`;
  const key = await newOrganization(environment, organization);
  const brokers = (environment['KAFKA_BROKERS'] ?? '').split(',');
  const from = await logEnds(brokers, eventsTopic);
  const before = await untilRecorded(environment, from);
  const ledger = new Ledger();

  const api = supervisor.urlOf('integrations-api');
  const client = await Client.signIn(api, organization, key);
  say(`organization ${organization}: two exports are created with the request bodies of the contract`);
  const integrations = await createExports(client, api, environment);

  await timed(seconds, 'produce', async () => {
    say(
      `publishing ${options.messages} messages of ${options.users} users from a Kafka producer, ${restBatches * perBatch + 1} events over REST`,
    );
    await Promise.all([
      produce(brokers, ledger, organization, options),
      postEvents(client, supervisor.urlOf('consent-ingest'), ledger),
    ]);
  });
  const ends = await logEnds(brokers, eventsTopic);
  const after = await timed(seconds, 'record', () => untilRecorded(environment, ends));
  ledger.locate(await readLog({ brokers, topic: eventsTopic, from }));

  const exports: DeliveredExport[] = [];
  await timed(seconds, 'export', async () => {
    await Promise.all(integrations.map((each) => client.runNow(api, each.exportId, () => undefined)));
  });
  await timed(seconds, 'readBack', async () => {
    for (const each of integrations) exports.push(await readBack(each, organization, ledger, environment));
  });
  return {
    organization,
    key,
    produced: ledger.produced.length,
    restEvents: restBatches * perBatch + 1,
    recorded: after.recorded - before.recorded,
    duplicates: after.duplicates - before.duplicates,
    rejected: after.rejected - before.rejected,
    rejectedBecause: await rejectionReasons(environment, from),
    exports,
    seconds,
  };
}

interface CreatedExport {
  kind: 's3' | 'gcs';
  exportId: string;
  bucket: string;
}

/** The two request bodies of the contract's tutorial; organization and bucket are this demo's, the key is complete. */
async function createExports(client: Client, api: string, environment: StackEnvironment): Promise<CreatedExport[]> {
  const url = `${api}/v1/marketplace/integrations`;
  const s3 = await client.post<{ id: string; properties: { bucket_name: string } }>(url, {
    organization_id: client.organization,
    type_id: 'batch-exports-s3',
    authentication: { account_id: '0000000000' },
    properties: { frequency: 1 },
    mappings: [],
  });
  const bucket = `didomi-cmp-bucket-${client.organization}`;
  await createGcsBucket(environment['GCS_ENDPOINT'] ?? '', bucket);
  const gcs = await client.post<{ id: string }>(url, {
    organization_id: client.organization,
    type_id: 'batch-exports-gcp',
    authentication: { project_id: 'didomi-cmp', json_key: serviceAccountKey('didomi-cmp') },
    properties: { frequency: 1, bucket_name: bucket },
    mappings: [],
  });
  return [
    { kind: 's3', exportId: s3.id, bucket: s3.properties.bucket_name },
    { kind: 'gcs', exportId: gcs.id, bucket },
  ];
}

/** What the customer does in his own project before he asks for an export. */
async function createGcsBucket(endpoint: string, name: string): Promise<void> {
  const answer = await fetch(`${endpoint}/storage/v1/b?project=didomi-cmp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(`The GCS server did not create a bucket: ${answer.status} ${await answer.text()}`);
}

async function produce(
  brokers: readonly string[],
  ledger: Ledger,
  organization: string,
  options: DemoOptions,
): Promise<void> {
  const producer = await OracleProducer.connect({ brokers }, ledger);
  await producer.send(
    workload({ organization, users: options.users, messages: options.messages, guests: 0.05, poison: true }),
  );
  await producer.disconnect();
}

async function postEvents(client: Client, api: string, ledger: Ledger): Promise<void> {
  const event = (number: number): WireEvent => ({
    id: `rest-${number}`,
    organization_id: client.organization,
    user: { organization_user_id: `rest-${number % 20}@example.com`, organization_user_id_type: 'email' },
    consents: { purposes: [{ id: 'newsletter', enabled: number % 3 !== 0 }] },
  });
  const url = `${api}/v1/consents/events?organization_id=${client.organization}`;
  for (let batch = 0; batch < restBatches; batch += 1) {
    const events = Array.from({ length: perBatch }, (_, i) => event(batch * perBatch + i));
    for (const each of events) ledger.event(each, 'rest');
    await client.post(url, events);
  }
  const single = event(restBatches * perBatch);
  ledger.event(single, 'rest');
  await client.post(url, single);
}

async function readBack(
  each: CreatedExport,
  organization: string,
  ledger: Ledger,
  environment: StackEnvironment,
): Promise<DeliveredExport> {
  const source =
    each.kind === 's3'
      ? s3Source(s3Access(environment), each.bucket)
      : gcsSource(environment['GCS_ENDPOINT'] ?? '', each.bucket);
  const delivery = await readDelivery(source, each.exportId);
  const verdict = judge(ledger, { organizationId: organization, exportId: each.exportId, delivery });
  const url = `${each.kind === 's3' ? 's3' : 'gs'}://${each.bucket}/data/export-id=${each.exportId}`;
  const verification = await verifyDelivery(url, environment);
  return {
    exportId: each.exportId,
    kind: each.kind,
    url,
    keys: await keysOf(source, each.exportId),
    sampleLine: JSON.stringify(delivery.runs[0]?.lines[0] ?? null),
    verdict,
    verified: verification.ok,
    report: verification.report,
  };
}

async function keysOf(source: ObjectSource, exportId: string): Promise<string[]> {
  return (await source.list(`data/export-id=${exportId}/`)).toSorted();
}

function s3Access(environment: StackEnvironment) {
  return {
    endpoint: environment['S3_ENDPOINT'] ?? '',
    region: environment['AWS_REGION'] ?? 'us-east-1',
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
}

async function timed<T>(seconds: Record<string, number>, name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  seconds[name] = Number(((performance.now() - began) / 1000).toFixed(1));
  return result;
}
