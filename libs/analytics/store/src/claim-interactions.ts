import type { Sql } from '@delivery/platform/postgres';
import { digest, type InteractionToRecord, undashed } from './interaction';

/** How long a repetition is recognised, by arrival. */
const VALID_MS = 24 * 3_600_000;

/** An id that an organization gave, and the interactions of a batch that have it, in their order. */
interface Use {
  /** Sorts as its row does: organization ids have no character before the space. */
  readonly key: string;
  readonly organizationId: string;
  readonly claim: string;
  readonly items: InteractionToRecord[];
}

/**
 * Claims the ids of a batch: of two interactions of an organization with one id whose arrivals are less than 24 hours
 * apart, the first counts, over all partitions. Those without an id are never the same. Claims in sorted order, so that
 * recorders of different partitions wait for each other and seldom deadlock.
 *
 * @param batch - in the order of its partition's log
 * @returns those that count, in the same order
 */
export async function claimInteractions(
  tx: Sql,
  batch: readonly InteractionToRecord[],
): Promise<readonly InteractionToRecord[]> {
  let open = usesOf(batch).sort(byKey);
  const repeated = new Set<InteractionToRecord>();
  const moved = new Map<Use, number>();
  const settle = (use: Use, claimedAt: number | undefined): void => {
    const latest = repetitionsOf(use, claimedAt, repeated);
    if (latest !== (claimedAt ?? arrivalOf(use.items[0]))) moved.set(use, latest);
  };
  while (open.length > 0) {
    const free = await insertClaims(tx, open);
    const found = free < open.length ? await lockClaims(tx, open) : undefined;
    for (const use of open) if (found === undefined || found.has(use.key)) settle(use, found?.get(use.key));
    // What was neither free nor there was removed this moment, as too old: it is free the next time.
    open = found === undefined ? [] : open.filter(({ key }) => !found.has(key));
  }
  await moveClaims(tx, moved);
  return repeated.size === 0 ? batch : batch.filter((item) => !repeated.has(item));
}

function usesOf(batch: readonly InteractionToRecord[]): Use[] {
  const uses = new Map<string, Use>();
  for (const item of batch) {
    const { id, organization_id: organizationId } = item.interaction;
    if (id === null || id === undefined) continue;
    const claim = digest(organizationId, id);
    const key = `${organizationId} ${claim}`;
    const use = uses.get(key);
    if (use) use.items.push(item);
    else uses.set(key, { key, organizationId, claim, items: [item] });
  }
  return [...uses.values()];
}

function byKey(a: Use, b: Use): number {
  return a.key < b.key ? -1 : 1;
}

/**
 * Finds the repetitions among the items of one id.
 * @param claimedAt - when the id was claimed before; undefined: never
 * @returns when it is claimed now
 */
function repetitionsOf({ items }: Use, claimedAt: number | undefined, repeated: Set<InteractionToRecord>): number {
  let last = claimedAt;
  for (const item of items) {
    const arrival = arrivalOf(item);
    if (last !== undefined && Math.abs(arrival - last) < VALID_MS) repeated.add(item);
    else last = Math.max(arrival, last ?? arrival);
  }
  return last ?? 0;
}

function arrivalOf(item: InteractionToRecord | undefined): number {
  return item?.arrivedAt.getTime() ?? 0;
}

/** Waits for whoever claims the same at this moment. @returns how many were free */
async function insertClaims(tx: Sql, uses: readonly Use[]): Promise<number> {
  const [row] = await tx.query<{ free: number }>(
    `WITH made AS (
       INSERT INTO interaction_claim (organization_id, claim, arrived_at)
       SELECT organization_id, claim, 'epoch'::timestamptz + arrived_ms * interval '1 millisecond'
       FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS u(organization_id, claim, arrived_ms)
       ON CONFLICT DO NOTHING RETURNING 1)
     SELECT count(*)::int AS free FROM made`,
    [...columnsOf(uses), uses.map(({ items }) => arrivalOf(items[0]))],
  );
  return row?.free ?? 0;
}

/** @returns when each was claimed before; undefined for those that are this transaction's own */
async function lockClaims(tx: Sql, uses: readonly Use[]): Promise<Map<string, number | undefined>> {
  const rows = await tx.query<{ organization_id: string; claim: string; arrived_at: Date; own: boolean }>(
    `SELECT c.organization_id, c.claim, c.arrived_at, c.xmin = pg_current_xact_id()::xid AS own FROM interaction_claim c
       JOIN unnest($1::text[], $2::uuid[]) AS u(organization_id, claim) USING (organization_id, claim)
     ORDER BY c.organization_id COLLATE "C", c.claim FOR UPDATE OF c`,
    columnsOf(uses),
  );
  return new Map(
    rows.map((row) => [
      `${row.organization_id} ${undashed(row.claim)}`,
      row.own ? undefined : row.arrived_at.getTime(),
    ]),
  );
}

async function moveClaims(tx: Sql, moved: ReadonlyMap<Use, number>): Promise<void> {
  if (moved.size === 0) return;
  await tx.query(
    `UPDATE interaction_claim c SET arrived_at = 'epoch'::timestamptz + u.arrived_ms * interval '1 millisecond'
     FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS u(organization_id, claim, arrived_ms)
     WHERE (c.organization_id, c.claim) = (u.organization_id, u.claim)`,
    [...columnsOf([...moved.keys()]), [...moved.values()]],
  );
}

function columnsOf(uses: readonly Use[]): [string[], string] {
  // Digits and letters only: written as Postgres reads it, instead of having each of thousands quoted.
  return [uses.map(({ organizationId }) => organizationId), `{${uses.map(({ claim }) => claim).join(',')}}`];
}
