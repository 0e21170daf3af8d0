import { type PlannedRun, planRun } from '@delivery/exports/engine';
import { type ExporterKind, runRequested } from '@delivery/exports/schema';
import { RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { IntegrationStore, OrganizationStore } from '@delivery/integrations/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { AdminError } from './errors';

/** Plans the next window of an integration now and tells the exporters. @throws AdminError `not_found`, `refused` */
export async function runNow(
  { database, kafka }: { database: Database; kafka: KafkaConnection },
  organizationId: string,
  integrationId: string,
): Promise<PlannedRun> {
  const integration = await new IntegrationStore(database).byId(organizationId, integrationId);
  if (integration === undefined) {
    throw new AdminError('not_found', `Organization "${organizationId}" has no integration "${integrationId}".`);
  }
  if (!integration.enabled) {
    throw new AdminError('refused', `Integration ${integrationId} is disabled: enable it first (PATCH enabled: true).`);
  }
  const [organizations, runs] = [new OrganizationStore(database), new RunStore()];
  const planned = await planRun(
    {
      database,
      schedules: new ScheduleStore(),
      runs,
      positions: new PositionStore(),
      log: kafka,
      readSettings: (sql, organization) => organizations.exportSettings(sql, organization),
      maxWaitSeconds: 0,
    },
    { organizationId, integrationId, trigger: 'manual' },
  );
  if (planned.outcome === 'waiting') throw new AdminError('refused', `Not now: ${planned.waitingFor}`);
  if (planned.outcome !== 'planned') {
    throw new AdminError('not_found', `Integration ${integrationId} has no schedule: it was deleted meanwhile.`);
  }
  await nudge(kafka, planned.run);
  await runs.markNudged(database, [planned.run]);
  return planned.run;
}

async function nudge(kafka: KafkaConnection, { organizationId, id, destinationKind }: PlannedRun): Promise<void> {
  if (!isExporterKind(destinationKind)) return;
  const topic = runRequested[destinationKind];
  const message = { organization_id: organizationId, run_id: id };
  await kafka.publisher().publish(topic.name, [{ key: topic.key(message), value: topic.encode(message) }]);
}

function isExporterKind(kind: string): kind is ExporterKind {
  return Object.hasOwn(runRequested, kind);
}
