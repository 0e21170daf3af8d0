import { arrays, type Transaction } from '@delivery/platform/postgres';
import type { EventToRecord } from './record-events';
import { byKeys, monthOf } from './rows';

/**
 * Claims the ids of a batch in the head table. The first of two events with one id wins, per organization, across
 * partitions, for ever; within the batch the first in offset order.
 * @returns the events whose id was free, in offset order.
 */
export async function claimIds(tx: Transaction, batch: readonly EventToRecord[]): Promise<EventToRecord[]> {
  const first = new Map<string, EventToRecord>();
  for (const item of batch) {
    const key = `${item.event.organizationId} ${item.event.id}`;
    if (!first.has(key)) first.set(key, item);
  }
  const candidates = [...first.values()].sort(byKeys((item) => [item.event.organizationId, item.event.id]));
  const [one] = candidates;
  if (one === undefined) return [];
  const { topicId, partition, epoch } = one.event.position;
  const rows = await tx.query<{ log_offset: string }>(
    `INSERT INTO consent_event_head (organization_id, event_id, user_id, regulation, status, version, month, topic_id,
       partition, epoch, log_offset, effective_at)
     SELECT organization_id, event_id, user_id, regulation, status, 1, month, $8, $9, $10, log_offset, effective_at
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::bigint[], $11::timestamptz[])
       AS e(organization_id, event_id, user_id, regulation, status, month, log_offset, effective_at)
     ON CONFLICT DO NOTHING RETURNING log_offset`,
    [
      arrays.text(candidates.map(({ event }) => event.organizationId)),
      arrays.text(candidates.map(({ event }) => event.id)),
      arrays.text(candidates.map(({ event }) => event.userId)),
      arrays.text(candidates.map(({ event }) => event.regulation)),
      arrays.text(candidates.map(({ event }) => event.status)),
      arrays.date(candidates.map(({ arrivedAt }) => monthOf(arrivedAt))),
      arrays.int8(candidates.map(({ event }) => event.position.offset)),
      topicId,
      partition,
      epoch,
      arrays.timestamptz(candidates.map(({ event }) => event.effectiveAt)),
    ],
  );
  const claimed = new Set(rows.map((row) => row.log_offset));
  return batch.filter((item) => claimed.has(item.event.position.offset.toString()));
}
