import { MAX_DEVICE_SERVICES } from '@delivery/analytics/domain';
import type { Sql } from '@delivery/platform/postgres';
import { decide, type Decision, decisionOf } from './count-interactions';
import { type InteractionToRecord, undashed } from './interaction';

/**
 * What is decided later replaces what was decided before: a partition is recorded in its order. A device has so many
 * services at most: rows that grow without end would slow down everybody's recording, and then stop it.
 * @returns the interactions that were left out for it
 */
export async function addDecisions(
  tx: Sql,
  rows: readonly Decision[],
  partition: number,
): Promise<InteractionToRecord[]> {
  const added = await upsert(tx, rows.filter(fits), partition);
  const refused: InteractionToRecord[] = [];
  for (const row of rows.filter((each) => !added.has(keyOf(each)))) {
    const known = new Set(await servicesOf(tx, row, partition));
    const fitting = decisionOf(row);
    for (const item of row.items) {
      if (takes(known, item)) decide(fitting, item);
      else refused.push(item);
    }
    await upsert(tx, [fitting], partition);
  }
  return refused;
}

function fits({ services }: Decision): boolean {
  return Object.keys(services).length <= MAX_DEVICE_SERVICES;
}

/** Adds an interaction's services to those that are known, unless they would be too many. */
function takes(known: Set<string>, { interaction: { services } }: InteractionToRecord): boolean {
  const all = new Set(known);
  for (const { template_id: id } of services ?? []) all.add(id);
  if (all.size > MAX_DEVICE_SERVICES) return false;
  for (const id of all) known.add(id);
  return true;
}

function keyOf({ organizationId, day, settingsId, device }: Omit<Decision, 'services' | 'items'>): string {
  return [organizationId, day, settingsId, device].join('\n');
}

/** @returns the keys of the rows that were written: not of those that would have too many services */
async function upsert(tx: Sql, rows: readonly Decision[], partition: number): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const written = await tx.query<{ organization_id: string; day: string; settings_id: string; device: string }>(
    `INSERT INTO interaction_decision AS t (organization_id, day, settings_id, device, partition, services)
     SELECT organization_id, day, settings_id, device, $1, services
     FROM unnest($2::text[], $3::date[], $4::text[], $5::uuid[], $6::jsonb[])
       AS u(organization_id, day, settings_id, device, services)
     ON CONFLICT (organization_id, day, settings_id, device, partition)
     DO UPDATE SET services = t.services || excluded.services
       WHERE (SELECT count(*) FROM jsonb_object_keys(t.services || excluded.services)) <= ${MAX_DEVICE_SERVICES}
     RETURNING organization_id, day::text, settings_id, device`,
    [
      partition,
      rows.map((row) => row.organizationId),
      rows.map((row) => row.day),
      rows.map((row) => row.settingsId),
      rows.map((row) => row.device),
      rows.map((row) => JSON.stringify(row.services)),
    ],
  );
  return new Set(
    written.map(({ organization_id: organizationId, day, settings_id: settingsId, device }) =>
      keyOf({ organizationId, day, settingsId, device: undashed(device) }),
    ),
  );
}

async function servicesOf(tx: Sql, row: Decision, partition: number): Promise<string[]> {
  const found = await tx.query<{ id: string }>(
    `SELECT jsonb_object_keys(services) AS id FROM interaction_decision
     WHERE (organization_id, day, settings_id, device, partition) = ($1, $2::date, $3, $4::uuid, $5)`,
    [row.organizationId, row.day, row.settingsId, row.device, partition],
  );
  return found.map(({ id }) => id);
}
