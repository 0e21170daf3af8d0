import type { Sql } from '@delivery/platform/postgres';
import { digest, type InteractionToRecord, undashed } from './interaction';

/** How long a repetition is recognised, by arrival. */
const VALID_MS = 24 * 3_600_000;

/** An id that an organization gave, and the interactions of a batch that have it, in their order. */
interface Use {
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
  const open = usesOf(batch);
  const repeated = new Set<InteractionToRecord>();
  const moved = new Map<Use, number>();
  const settle = (use: Use, claimedAt: number | undefined): void => {
    const latest = repetitionsOf(use, claimedAt, repeated);
    if (latest !== (claimedAt ?? arrivalOf(use.items[0]))) moved.set(use, latest);
  };
  while (open.size > 0) {
    const uses = sorted(open);
    for (const key of await insertClaims(tx, uses)) take(open, key, (use) => settle(use, undefined));
    if (open.size === 0) break;
    // What is found neither free nor there was removed this moment, as too old: it is free the next time.
    for (const { key, claimedAt } of await lockClaims(tx, sorted(open)))
      take(open, key, (use) => settle(use, claimedAt));
  }
  await moveClaims(tx, moved);
  return repeated.size === 0 ? batch : batch.filter((item) => !repeated.has(item));
}

function usesOf(batch: readonly InteractionToRecord[]): Map<string, Use> {
  const uses = new Map<string, Use>();
  for (const item of batch) {
    const { id, organization_id: organizationId } = item.interaction;
    if (id === null || id === undefined) continue;
    const claim = digest(organizationId, id);
    const key = `${organizationId} ${claim}`;
    const use = uses.get(key);
    if (use) use.items.push(item);
    else uses.set(key, { organizationId, claim, items: [item] });
  }
  return uses;
}

/** Organization ids have no character that sorts before the space: so these keys sort as their rows do. */
function sorted(uses: ReadonlyMap<string, Use>): Use[] {
  return [...uses.keys()].sort().flatMap((key) => uses.get(key) ?? []);
}

function take(uses: Map<string, Use>, key: string, settle: (use: Use) => void): void {
  const use = uses.get(key);
  if (use === undefined) return;
  uses.delete(key);
  settle(use);
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

/** Waits for whoever claims the same at this moment. @returns keys of those that were free */
async function insertClaims(tx: Sql, uses: readonly Use[]): Promise<string[]> {
  const rows = await tx.query<ClaimRow>(
    `INSERT INTO interaction_claim (organization_id, claim, arrived_at)
     SELECT organization_id, claim, 'epoch'::timestamptz + arrived_ms * interval '1 millisecond'
     FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS u(organization_id, claim, arrived_ms)
     ON CONFLICT DO NOTHING RETURNING organization_id, claim`,
    [...columnsOf(uses), uses.map(({ items }) => arrivalOf(items[0]))],
  );
  return rows.map(keyOf);
}

async function lockClaims(tx: Sql, uses: readonly Use[]): Promise<{ key: string; claimedAt: number }[]> {
  const rows = await tx.query<ClaimRow & { arrived_at: Date }>(
    `SELECT c.organization_id, c.claim, c.arrived_at FROM interaction_claim c
       JOIN unnest($1::text[], $2::uuid[]) AS u(organization_id, claim) USING (organization_id, claim)
     ORDER BY c.organization_id COLLATE "C", c.claim FOR UPDATE OF c`,
    columnsOf(uses),
  );
  return rows.map((row) => ({ key: keyOf(row), claimedAt: row.arrived_at.getTime() }));
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

interface ClaimRow extends Record<string, unknown> {
  organization_id: string;
  claim: string;
}

function keyOf({ organization_id: organizationId, claim }: ClaimRow): string {
  return `${organizationId} ${undashed(claim)}`;
}

function columnsOf(uses: readonly Use[]): [string[], string] {
  // Digits and letters only: written as Postgres reads it, instead of having each of thousands quoted.
  return [uses.map(({ organizationId }) => organizationId), `{${uses.map(({ claim }) => claim).join(',')}}`];
}
