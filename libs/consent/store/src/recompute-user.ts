import {
  applyEvent,
  compareOrderKeys,
  orderKeyOf,
  parseEventDocument,
  parseUserDocument,
  type ConsentEvent,
  type ConsentUserState,
} from '@delivery/consent/domain';
import type { Sql } from '@delivery/platform/postgres';
import type { UserKey } from './user.rows';

const pageSize = 500;

interface EventRow extends Record<string, unknown> {
  event_document: string;
  effective_at: string;
  topic_id: number;
  partition: number;
  epoch: number;
  log_offset: string;
}

/**
 * Folds a user's whole history anew, because an event came that is older than the newest one folded: his recorded
 * confirmed events and those of the batch, merged in order. Reads page by page; memory does not grow with the history.
 */
export async function recomputeUser(tx: Sql, key: UserKey, fresh: readonly ConsentEvent[]): Promise<ConsentUserState> {
  const batch = [...fresh].sort((a, b) => compareOrderKeys(orderKeyOf(a), orderKeyOf(b)));
  let state = await baseOf(tx, key);
  let next = 0;
  for await (const recorded of historyOf(tx, key)) {
    for (
      let event = batch[next];
      event && compareOrderKeys(orderKeyOf(event), orderKeyOf(recorded)) < 0;
      event = batch[next]
    ) {
      state = applyEvent(state, event);
      next += 1;
    }
    state = applyEvent(state, recorded);
  }
  for (const event of batch.slice(next)) state = applyEvent(state, event);
  if (state === undefined) throw new RangeError('a user is recomputed for at least one event');
  return state;
}

/** What the user was when retention dropped the oldest part of his history. */
async function baseOf(tx: Sql, key: UserKey): Promise<ConsentUserState | undefined> {
  const [row] = await tx.query<{ base_document: string | null }>(
    'SELECT base_document FROM consent_user WHERE organization_id = $1 AND user_id = $2 AND regulation = $3',
    [key.organizationId, key.userId, key.regulation],
  );
  return row?.base_document ? parseUserDocument(row.base_document) : undefined;
}

/** The user's recorded confirmed events in the order they are folded. Heads of the batch at hand have no revision yet. */
async function* historyOf(tx: Sql, key: UserKey): AsyncGenerator<ConsentEvent> {
  await tx.query(
    `DECLARE user_history NO SCROLL CURSOR FOR
     SELECT r.event_document, (extract(epoch FROM h.effective_at) * 1000)::bigint AS effective_at,
       h.topic_id, h.partition, h.epoch, h.log_offset
     FROM consent_event_head h
     JOIN consent_event_revision r USING (organization_id, topic_id, partition, epoch, log_offset, month)
     WHERE h.organization_id = $1 AND h.user_id = $2 AND h.regulation = $3 AND h.status = 'confirmed'
     ORDER BY h.effective_at, h.topic_id, h.epoch, h.partition, h.log_offset`,
    [key.organizationId, key.userId, key.regulation],
  );
  for (;;) {
    const rows = await tx.query<EventRow>(`FETCH ${pageSize} FROM user_history`);
    for (const row of rows) {
      yield parseEventDocument(row.event_document, {
        effectiveAt: Number(row.effective_at),
        position: { topicId: row.topic_id, partition: row.partition, epoch: row.epoch, offset: BigInt(row.log_offset) },
      });
    }
    if (rows.length < pageSize) break;
  }
  await tx.query('CLOSE user_history');
}
