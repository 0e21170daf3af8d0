import { parseUserDocument, type ConsentUserState, type OrderKey } from '@delivery/consent/domain';
import type { Sql } from '@delivery/platform/postgres';
import { byKeys, monthOf } from './rows';

export interface UserKey {
  organizationId: string;
  userId: string;
  regulation: string;
}

export function userKeyText(key: UserKey): string {
  return `${key.organizationId} ${key.regulation} ${key.userId}`;
}

/** A user's row as it is locked: his state, the newest event folded into it, and whether he is still a guest. */
export interface LockedUser {
  /** Where the row lies; stays true while this transaction holds its lock. */
  place: string;
  version: number;
  guest: boolean;
  latest: OrderKey;
  state: ConsentUserState;
}

/** What a batch makes of a user. */
export interface UserRow extends UserKey {
  state: ConsentUserState;
  guest: boolean;
  latest: OrderKey;
  /** Where the revision stands that carries his document: `document.offset` of the batch's partition. */
  document: { offset: bigint; arrivedAt: Date };
}

interface LockedRow extends Record<string, unknown> {
  place: string;
  organization_id: string;
  user_id: string;
  regulation: string;
  version: number;
  guest: boolean;
  latest_at: string;
  latest_topic_id: number;
  latest_partition: number;
  latest_epoch: number;
  latest_offset: string;
  document_month: string;
  document_topic_id: number;
  document_partition: number;
  document_epoch: number;
  document_offset: string;
  base_document: string | null;
}

/**
 * Locks the rows of those users that exist, in sorted order, and reads their documents. Two statements on purpose: after
 * waiting for a lock only a new snapshot sees the document that the former holder of the lock wrote.
 */
export async function lockUsers(tx: Sql, keys: readonly UserKey[]): Promise<Map<string, LockedUser>> {
  const sorted = [...keys].sort(byKeys((key) => [key.organizationId, key.userId, key.regulation]));
  const rows = await tx.query<LockedRow>(
    `SELECT u.ctid::text AS place, u.organization_id, u.user_id, u.regulation, u.version, u.guest,
       (extract(epoch FROM u.latest_effective_at) * 1000)::bigint AS latest_at,
       u.latest_topic_id, u.latest_partition, u.latest_epoch, u.latest_offset,
       u.document_month::text, u.document_topic_id, u.document_partition, u.document_epoch, u.document_offset, u.base_document
     FROM unnest($1::text[], $2::text[], $3::text[]) AS k(organization_id, user_id, regulation)
     JOIN consent_user u USING (organization_id, user_id, regulation)
     ORDER BY u.organization_id, u.user_id, u.regulation FOR UPDATE OF u`,
    [sorted.map((k) => k.organizationId), sorted.map((k) => k.userId), sorted.map((k) => k.regulation)],
  );
  if (rows.length === 0) return new Map();
  const documents = await documentsOf(tx, rows);
  return new Map(
    rows.map((row, i) => {
      const document = documents.get(i) ?? row.base_document;
      if (document === null || document === undefined) {
        throw new Error(
          `consent_user of ${row.organization_id} points to a document that is not there (${row.user_id})`,
        );
      }
      return [
        userKeyText({ organizationId: row.organization_id, userId: row.user_id, regulation: row.regulation }),
        {
          place: row.place,
          version: row.version,
          guest: row.guest,
          latest: latestOf(row),
          state: parseUserDocument(document),
        },
      ];
    }),
  );
}

async function documentsOf(tx: Sql, rows: readonly LockedRow[]): Promise<Map<number, string>> {
  const found = await tx.query<{ i: number; user_document: string }>(
    `SELECT k.i::int - 1 AS i, r.user_document
     FROM unnest($1::text[], $2::smallint[], $3::int[], $4::int[], $5::bigint[], $6::date[])
       WITH ORDINALITY AS k(organization_id, topic_id, partition, epoch, log_offset, month, i)
     JOIN consent_event_revision r USING (organization_id, topic_id, partition, epoch, log_offset, month)`,
    [
      rows.map((row) => row.organization_id),
      rows.map((row) => row.document_topic_id),
      rows.map((row) => row.document_partition),
      rows.map((row) => row.document_epoch),
      rows.map((row) => row.document_offset),
      rows.map((row) => row.document_month),
    ],
  );
  return new Map(found.map((row) => [row.i, row.user_document]));
}

function latestOf(row: LockedRow): OrderKey {
  return {
    effectiveAt: Number(row.latest_at),
    position: {
      topicId: row.latest_topic_id,
      partition: row.latest_partition,
      epoch: row.latest_epoch,
      offset: BigInt(row.latest_offset),
    },
  };
}

/** What a batch changes of a user, in the order of its columns. */
const changing: readonly (readonly [column: string, type: string, of: (row: UserRow) => unknown])[] = [
  ['organization_user_id', 'text', (row) => row.state.organizationUserId],
  ['version', 'int', (row) => row.state.version],
  ['guest', 'boolean', (row) => row.guest],
  ['created_at', 'timestamptz', (row) => isoTime(row.state.createdAt)],
  ['updated_at', 'timestamptz', (row) => isoTime(row.state.updatedAt)],
  ['latest_effective_at', 'timestamptz', (row) => isoTime(row.latest.effectiveAt)],
  ['latest_topic_id', 'smallint', (row) => row.latest.position.topicId],
  ['latest_partition', 'int', (row) => row.latest.position.partition],
  ['latest_epoch', 'int', (row) => row.latest.position.epoch],
  ['latest_offset', 'bigint', (row) => row.latest.position.offset.toString()],
  ['document_month', 'date', (row) => monthOf(row.document.arrivedAt)],
  ['document_offset', 'bigint', (row) => row.document.offset.toString()],
];

const changingNames = changing.map(([column]) => column).join(', ');
/** As `$4` to `$15`. */
const changingArrays = changing.map(([, type], i) => `$${i + 4}::${type}[]`).join(', ');
const changingValues = (rows: readonly UserRow[]) => changing.map(([, , of]) => rows.map(of));

/** Where the batch stands, for the document pointers. */
export interface BatchPlace {
  topicId: number;
  partition: number;
  epoch: number;
}

/**
 * Inserts users that were not there when the batch looked, in sorted order.
 * @returns those that another recorder inserted meanwhile: they are not written.
 */
export async function insertUsers(tx: Sql, rows: readonly UserRow[], place: BatchPlace): Promise<UserRow[]> {
  if (rows.length === 0) return [];
  const sorted = [...rows].sort(byKeys((row) => [row.organizationId, row.userId, row.regulation]));
  const inserted = await tx.query<{ organization_id: string; user_id: string; regulation: string }>(
    `INSERT INTO consent_user (organization_id, user_id, regulation, ${changingNames},
       document_topic_id, document_partition, document_epoch)
     SELECT n.*, $16, $17, $18 FROM unnest($1::text[], $2::text[], $3::text[], ${changingArrays}) AS n
     ON CONFLICT DO NOTHING RETURNING organization_id, user_id, regulation`,
    [
      sorted.map((row) => row.organizationId),
      sorted.map((row) => row.userId),
      sorted.map((row) => row.regulation),
      ...changingValues(sorted),
      place.topicId,
      place.partition,
      place.epoch,
    ],
  );
  if (inserted.length === rows.length) return [];
  const done = new Set(
    inserted.map((row) =>
      userKeyText({ organizationId: row.organization_id, userId: row.user_id, regulation: row.regulation }),
    ),
  );
  return rows.filter((row) => !done.has(userKeyText(row)));
}

/** Writes users whose rows this transaction holds locked, each at his place. */
export async function updateUsers(
  tx: Sql,
  rows: readonly (UserRow & { place: string })[],
  { topicId, partition, epoch }: BatchPlace,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `UPDATE consent_user u SET ${changing.map(([column]) => `${column} = n.${column}`).join(', ')},
       document_topic_id = $1, document_partition = $2, document_epoch = $3
     FROM unnest(${changingArrays}, $16::tid[]) AS n(${changingNames}, place)
     WHERE u.ctid = n.place`,
    [topicId, partition, epoch, ...changingValues(rows), rows.map((row) => row.place)],
  );
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
