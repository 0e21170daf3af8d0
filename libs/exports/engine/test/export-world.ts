import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { type ConsentEventInput, normalizeEvent } from '@delivery/consent/domain';
import { migrations as consentMigrations, recordEvents } from '@delivery/consent/store';
import type { DestinationDriver } from '@delivery/destinations/driver';
import { openFileDestination } from '@delivery/destinations/file';
import { type Dataset, DATASETS, type ExportSpec, type Manifest, readManifest, specOf } from '@delivery/exports/domain';
import {
  AttemptStore,
  type ExportRun,
  type IntegrationKey,
  migrations as exportMigrations,
  RunStore,
  ScheduleStore,
} from '@delivery/exports/store';
import { migrations as ingestMigrations, PositionStore } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import type { Database, PostgresConfig } from '@delivery/platform/postgres';
import { generateSigningKey, ManifestSigner } from '@delivery/platform/secrets';
import { testDatabase, type TestDatabase } from '@delivery/platform/testing';
import {
  type AttemptOutcome,
  type ExecuteDeps,
  executeRun,
  type LogReader,
  planRun,
  type PlanDeps,
  type PlanOutcome,
} from '../src';

const TOPIC = 'consent.events.v1';
const CONSUMER = 'consent';

/** The log that all is recorded from, without a partition. */
export const emptyLog: LogReader = { clusterId: async () => 'test', offsetsAt: async () => [] };

export const allMigrations = [
  ...ingestMigrations,
  ...consentMigrations,
  ...exportMigrations,
  ...integrationsMigrations,
  ...analyticsMigrations,
];

export interface DeliveredLine {
  user: { id: string; version: number; organization_id: string };
  events: { id: string; version: number; status: string }[];
}

/** A platform in small: a database with recorded events, a folder as bucket, and no Kafka. */
export class ExportWorld {
  readonly schedules = new ScheduleStore();
  readonly runs = new RunStore();
  readonly attempts = new AttemptStore();
  readonly positions = new PositionStore();
  readonly signer = ManifestSigner.fromConfig({ manifestSigningKey: generateSigningKey() });
  /** Ends of the log by partition; what is recorded unless a test says otherwise. */
  logEnds: Map<number, bigint> | undefined;
  /** As a claim takes whatever waits longest, each integration of a test gets organizations of its own. */
  private counter = 0;

  private constructor(
    private readonly test: TestDatabase,
    readonly bucket: string,
  ) {}

  static async open(): Promise<ExportWorld> {
    const test = await testDatabase({ migrations: allMigrations });
    return new ExportWorld(test, await mkdtemp(join(tmpdir(), 'exports-')));
  }

  async close(): Promise<void> {
    await this.test.close();
    await rm(this.bucket, { recursive: true, force: true });
  }

  async reset(): Promise<void> {
    this.logEnds = undefined;
    await this.db.query('TRUNCATE export_run, export_schedule');
    for (const name of await readdir(this.bucket)) await rm(join(this.bucket, name), { recursive: true, force: true });
  }

  get db(): Database {
    return this.test.database;
  }

  get config(): PostgresConfig {
    return this.test.config;
  }

  async newIntegration(
    spec: Partial<ExportSpec> = {},
    organizationId?: string,
    dataset: Dataset = 'users',
  ): Promise<IntegrationKey> {
    const number = (this.counter += 1);
    const key = { organizationId: organizationId ?? `org${number}`, integrationId: `int${number}` };
    const schedule = { ...key, destinationKind: 'file' as const, content: DATASETS[dataset], frequencyDays: 1 };
    await this.schedules.create(this.db, { ...schedule, spec: { ...specOf(dataset, 'gzip'), ...spec } });
    return key;
  }

  /** Records events as one batch of one partition, like the recorder does. */
  async record(organizationId: string, events: readonly Partial<ConsentEventInput>[], partition = 0): Promise<void> {
    await this.db.transaction(async (tx) => {
      const start = { consumer: CONSUMER, topic: TOPIC, partition, clusterId: 'test', firstOffset: 0n };
      await this.positions.begin(tx, start);
      const position = await this.positions.lock(tx, CONSUMER, TOPIC, partition);
      if (position === undefined) throw new Error('no position');
      const { topicId, epoch, nextOffset } = position;
      const arrivedAt = new Date();
      const batch = events.map((event, n) => ({
        arrivedAt,
        event: normalizeEvent(
          { organization_id: organizationId, source: 'api', ...event },
          {
            clusterId: 'test',
            topic: TOPIC,
            arrivedAt: arrivedAt.getTime(),
            position: { topicId, partition, epoch, offset: nextOffset + BigInt(n) },
          },
        ),
      }));
      const { recorded, duplicates } = await recordEvents(tx, batch);
      await this.positions.advance(tx, {
        position,
        nextOffset: nextOffset + BigInt(events.length),
        counted: {
          recorded: BigInt(recorded),
          duplicates: BigInt(duplicates),
          rejected: 0n,
          suppressed: 0n,
          control: 0n,
        },
        last: { offset: nextOffset + BigInt(events.length) - 1n, fingerprint: Buffer.from('x'), arrivedAt },
      });
    });
  }

  planDeps(changes: Partial<PlanDeps> = {}): PlanDeps {
    return {
      database: this.db,
      schedules: this.schedules,
      runs: this.runs,
      positions: this.positions,
      log: { ...emptyLog, offsetsAt: async (topic) => (topic === TOPIC ? this.offsets() : []) },
      readSettings: async () => ({ includeGuests: false }),
      maxWaitSeconds: 3600,
      ...changes,
    };
  }

  private offsets() {
    return [...(this.logEnds ?? [])].map(([partition, offset]) => ({
      partition,
      offset,
      high: 1_000_000n,
      stable: 1_000_000n,
    }));
  }

  async plan(
    key: IntegrationKey,
    trigger: 'manual' | 'schedule' = 'manual',
    changes: Partial<PlanDeps> = {},
  ): Promise<PlanOutcome> {
    return planRun(this.planDeps(changes), { ...key, trigger });
  }

  async planned(key: IntegrationKey, changes: Partial<PlanDeps> = {}): Promise<string> {
    const result = await this.plan(key, 'manual', changes);
    if (result.outcome !== 'planned') throw new Error(`not planned: ${result.outcome}`);
    return result.run.id;
  }

  async claim(leaseSeconds = 30): Promise<ExportRun> {
    const options = { owner: 'test', leaseSeconds, perOrganization: 10 };
    const run = await this.db.transaction((tx) => this.attempts.claimNext(tx, 'file', options));
    if (run === undefined) throw new Error('nothing to claim');
    return run;
  }

  async openBucket(): Promise<DestinationDriver> {
    return openFileDestination({ root: this.bucket });
  }

  executeDeps(changes: Partial<ExecuteDeps> = {}): ExecuteDeps {
    return {
      database: this.db,
      snapshots: this.db,
      attempts: this.attempts,
      runs: this.runs,
      positions: this.positions,
      openDestination: () => this.openBucket(),
      sign: (input) => ({ algorithm: 'Ed25519', key_id: this.signer.keyId, value: this.signer.sign(input) }),
      leaseSeconds: 30,
      retry: { maxTries: 3, baseSeconds: 60, capSeconds: 60 },
      random: () => 0,
      ...changes,
    };
  }

  async execute(
    run: ExportRun,
    changes: Partial<ExecuteDeps> = {},
    signal = new AbortController().signal,
  ): Promise<AttemptOutcome> {
    return executeRun(this.executeDeps(changes), run, { signal, claimedAt: performance.now() });
  }

  /** Plans, claims and executes the next run. */
  async deliver(key: IntegrationKey): Promise<ExportRun> {
    const id = await this.planned(key);
    const run = await this.claim();
    if (run.id !== id) throw new Error('another run was claimed');
    const outcome = await this.execute(run);
    if (outcome !== 'completed') throw new Error(`not delivered: ${outcome}`);
    return run;
  }

  async stored(run: ExportRun): Promise<ExportRun> {
    const found = await this.runs.find(this.db, run);
    if (found === undefined) throw new Error('the run is gone');
    return found;
  }

  /** Keys of all objects, sorted; also what a driver hides while it is unfinished. */
  async tree(): Promise<string[]> {
    const entries = await readdir(join(this.bucket), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.bucket.length + 1))
      .sort();
  }

  async names(): Promise<string[]> {
    return (await this.tree()).map((key) => basename(key));
  }

  async bytesOf(run: ExportRun): Promise<Map<string, Buffer>> {
    const keys = (await this.tree()).filter((key) => key.includes(run.id));
    return new Map(await Promise.all(keys.map(async (key) => [key, await readFile(join(this.bucket, key))] as const)));
  }

  /** Every line of a run's files, read without any code of the platform. */
  async linesOf(run: ExportRun): Promise<DeliveredLine[]> {
    const lines: DeliveredLine[] = [];
    for (const [key, bytes] of await this.bytesOf(run)) {
      if (!key.endsWith('.json.gz')) continue;
      const text = gunzipSync(bytes).toString('utf8');
      if (!text.endsWith('\n')) throw new Error(`${key} ends within a line`);
      lines.push(
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as DeliveredLine),
      );
    }
    return lines;
  }

  async manifestOf(run: ExportRun): Promise<Manifest> {
    const [entry] = [...(await this.bytesOf(run))].filter(([key]) => key.includes('_manifest-'));
    if (entry === undefined) throw new Error('no manifest');
    const { manifest, faults } = readManifest(entry[1]);
    if (manifest === undefined) throw new Error(faults.join(', '));
    return manifest;
  }

  async manifestBytesOf(run: ExportRun): Promise<Buffer> {
    const [entry] = [...(await this.bytesOf(run))].filter(([key]) => key.includes('_manifest-'));
    if (entry === undefined) throw new Error('no manifest');
    return entry[1];
  }
}

/** What was delivered of each event: its id and how often. */
export function deliveredEvents(lines: readonly DeliveredLine[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { id } of lines.flatMap(({ events }) => events)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
