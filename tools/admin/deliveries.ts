import { interactionRecorderGroup, interactionRecorderName, interactionsTopic } from '@delivery/analytics/schema';
import {
  consentCommandsTopic,
  consentEventsTopic,
  consentRecorderGroup,
  consentRecorderName,
} from '@delivery/consent/schema';
import { DestinationError } from '@delivery/destinations/driver';
import {
  bordersOf,
  exportPrefix,
  type FoundManifest,
  listPositions,
  type Positions,
  toPositions,
} from '@delivery/exports/domain';
import { findDeliveries, type FoundDeliveries, isChange, reconcileIntegration } from '@delivery/exports/engine';
import { type IntegrationKey, ReconciliationStore, RunStore, ScheduleStore } from '@delivery/exports/store';
import { recordedBeyond } from '@delivery/ingest/recorder';
import { type LogPlace, PositionStore, RewindStore } from '@delivery/ingest/store';
import { OrganizationStore } from '@delivery/integrations/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import type { DeliveryBuckets } from './delivery-buckets';
import { AdminError } from './errors';
import { describeReconciliation } from './report-reconciliation';

export interface ReconcileOptions {
  readonly organizationId?: string;
  readonly integrationId?: string;
  /** A folder with copies of manifests and `_SUCCESS`, for buckets that may not be listed. */
  readonly copy?: string;
  /** Integrations whose buckets are not looked at. */
  readonly skip: readonly string[];
  readonly dryRun: boolean;
}

export interface ReconciledIntegration {
  readonly organization_id: string;
  readonly export_id: string;
  readonly outcome: 'unchanged' | 'changed' | 'skipped' | 'failed';
  /** Sentences. */
  readonly told: readonly string[];
}

export interface ReconcileResult {
  readonly integrations: readonly ReconciledIntegration[];
  /** How far it was recorded before the database went back, where that is further than now. */
  readonly went_back: readonly { topic: string; partition: number; recorded_to: string }[];
  /** Whether recording and delivering may go on. */
  readonly released: boolean;
}

interface Resources {
  readonly database: Database;
  readonly kafka: KafkaConnection;
  readonly buckets: DeliveryBuckets;
}

/** Whose rows are delivered: deliveries tell in which order they have to be recorded again. */
const consents = {
  consumer: consentRecorderName,
  groupId: consentRecorderGroup,
  topics: [consentEventsTopic, consentCommandsTopic],
} as const;
/** Counts, in whatever order. */
const interactions = {
  consumer: interactionRecorderName,
  groupId: interactionRecorderGroup,
  topics: [interactionsTopic],
} as const;

/**
 * Makes a restored database agree with what was delivered: takes over runs that it does not know, plans again what was
 * lost, moves the schedules forward. When all integrations were looked at, lets recording and delivering go on.
 *
 * Repeatable, and without effect on a database that knows everything.
 */
export async function reconcileDeliveries(resources: Resources, options: ReconcileOptions): Promise<ReconcileResult> {
  const { database, kafka: connection } = resources;
  const reconciliations = new ReconciliationStore();
  const beyond = {
    consents: await recordedBeyond({ database, connection }, consents),
    interactions: await recordedBeyond({ database, connection }, interactions),
  };
  const lost = [...beyond.consents, ...beyond.interactions];
  const held = await anyHeld(database);
  const keys = await reconciliations.listIntegrations(database, options);
  if (keys.length === 0 && (options.organizationId ?? options.integrationId) !== undefined) {
    throw new AdminError('not_found', 'There is no such integration.');
  }
  const integrations: ReconciledIntegration[] = [];
  const manifests: FoundManifest[] = [];
  for (const key of keys) {
    // Whoever still executes a run from before must not complete it while it is looked at.
    if (!options.dryRun && (held || lost.length > 0)) await reconciliations.outdateAttempts(database, key);
    const looked = await reconcileOne(resources, key, options);
    integrations.push(looked.integration);
    manifests.push(...looked.manifests);
  }
  const all = options.organizationId === undefined && options.integrationId === undefined;
  const released = all && !options.dryRun && integrations.every(({ outcome }) => outcome !== 'failed');
  if (released) await release(database, beyond, manifests);
  const went_back = lost.map(({ topic, partition, nextOffset }) => ({
    topic,
    partition,
    recorded_to: String(nextOffset),
  }));
  return { integrations, went_back, released };
}

interface Looked {
  readonly integration: ReconciledIntegration;
  readonly manifests: readonly FoundManifest[];
}

async function reconcileOne(resources: Resources, key: IntegrationKey, options: ReconcileOptions): Promise<Looked> {
  const { organizationId, integrationId } = key;
  const name = { organization_id: organizationId, export_id: integrationId };
  if (options.skip.includes(integrationId)) {
    const told = ['Its bucket was not looked at: whatever was delivered since the backup will be delivered again.'];
    return { integration: { ...name, outcome: 'skipped', told }, manifests: [] };
  }
  try {
    const found = await look(resources, key, options);
    if (found.faults.length > 0)
      return { integration: { ...name, outcome: 'failed', told: found.faults }, manifests: [] };
    const organizations = new OrganizationStore(resources.database);
    const answer = await reconcileIntegration(
      {
        database: resources.database,
        schedules: new ScheduleStore(),
        runs: new RunStore(),
        reconciliations: new ReconciliationStore(),
        readSettings: (sql, organization) => organizations.exportSettings(sql, organization),
        dryRun: options.dryRun,
      },
      key,
      found,
    );
    const outcome = answer !== undefined && isChange(answer) ? 'changed' : 'unchanged';
    const told = answer === undefined ? [] : describeReconciliation(answer, found.manifests.length);
    return { integration: { ...name, outcome, told }, manifests: found.manifests };
  } catch (error) {
    if (!(error instanceof DestinationError || error instanceof AdminError)) throw error;
    return { integration: { ...name, outcome: 'failed', told: [error.message, ...wayOut(error, key)] }, manifests: [] };
  }
}

async function look(
  { database, buckets }: Resources,
  key: IntegrationKey,
  { copy }: ReconcileOptions,
): Promise<FoundDeliveries> {
  const schedule = await new ScheduleStore().find(database, key);
  if (schedule === undefined) return { manifests: [], strays: [], faults: [] };
  const prefix = exportPrefix(schedule.spec.layout, key.integrationId);
  const deps = { verifySignature: buckets.verifier(), signal: new AbortController().signal };
  const read = async (open: Promise<Awaited<ReturnType<DeliveryBuckets['open']>>>): Promise<FoundDeliveries> => {
    const reader = await open;
    try {
      return await findDeliveries({ ...deps, reader }, key, prefix);
    } finally {
      await reader.close();
    }
  };
  try {
    return await read(buckets.open(key));
  } catch (error) {
    const denied = error instanceof DestinationError && error.code === 'access_denied';
    if (!denied || copy === undefined) throw error;
    return read(buckets.openCopy(copy));
  }
}

/** What to do about a bucket that cannot be read, beside what the store says itself. */
function wayOut(error: Error, { integrationId }: IntegrationKey): string[] {
  const denied = error instanceof DestinationError && error.code === 'access_denied';
  return [
    ...(denied
      ? [
          'Reconciling needs to list and read (S3: s3:ListBucket and s3:GetObject; GCS: storage.objects.list and ' +
            'storage.objects.get), which exporting does not. Or ask the owner for a copy of all _manifest-*.json and ' +
            `_SUCCESS below data/export-id=${integrationId}/, keep the folders, and give it as --copy <folder>.`,
        ]
      : []),
    `To go on without it: --skip ${integrationId}`,
  ];
}

async function anyHeld(database: Database): Promise<boolean> {
  const positions = new PositionStore();
  const all = [consents, interactions].map(({ consumer }) => positions.readAll(database, consumer));
  return (await Promise.all(all)).flat().some(({ held }) => held);
}

async function release(
  database: Database,
  beyond: { readonly consents: readonly LogPlace[]; readonly interactions: readonly LogPlace[] },
  manifests: readonly FoundManifest[],
): Promise<void> {
  await database.transaction(async (tx) => {
    const positions = await new PositionStore().readAll(tx, consents.consumer);
    const recorded = toPositions(positions.map(({ nextOffset, ...position }) => ({ ...position, offset: nextOffset })));
    const borders = bordersOf(manifests.filter(isOfConsents), recorded).map(toPlaces);
    const rewinds = new RewindStore();
    await rewinds.settle(tx, consents.consumer, beyond.consents, borders);
    await rewinds.settle(tx, interactions.consumer, beyond.interactions, []);
  });
}

/** Windows of hours are no places in the log of consents. */
function isOfConsents({ manifest: { window } }: FoundManifest): boolean {
  return Object.keys(window.to).every((topic) => consents.topics.some((each) => each === topic));
}

function toPlaces(border: Positions): LogPlace[] {
  return listPositions(border).map(({ offset, ...place }) => ({ ...place, nextOffset: offset }));
}
