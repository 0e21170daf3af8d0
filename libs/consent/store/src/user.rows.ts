import { parseUserDocument, type ConsentUserState, type OrderKey } from '@delivery/consent/domain';
import { arrays, type Sql } from '@delivery/platform/postgres';
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
  /** Which of the sorted keys. */
  i: number;
  place: string;
  version: number;
  guest: boolean;
  latest_at: string;
  latest_topic_id: number;
  latest_partition: number;
  latest_epoch: number;
  latest_offset: string;
  base_document: string | null;
}

/**
 * Locks the rows of those users that exist, in sorted order, and reads their documents. Two statements on purpose: after
 * waiting for a lock only a new snapshot sees the document that the former holder of the lock wrote.
 */
export async function lockUsers(tx: Sql, keys: readonly UserKey[]): Promise<Map<string, LockedUser>> {
  const sorted = [...keys].sort(byKeys((key) => [key.organizationId, key.userId, key.regulation]));
  const rows = await tx.query<LockedRow>(
    `SELECT k.i::int - 1 AS i, u.ctid::text AS place, u.version, u.guest,
       (extract(epoch FROM u.latest_effective_at) * 1000)::bigint AS latest_at,
       u.latest_topic_id, u.latest_partition, u.latest_epoch, u.latest_offset, u.base_document
     FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(organization_id, user_id, regulation, i)
     JOIN consent_user u USING (organization_id, user_id, regulation)
     ORDER BY k.i FOR UPDATE OF u`,
    keyArrays(sorted),
  );
  if (rows.length === 0) return new Map();
  const documents = await documentsOf(tx, rows);
  return new Map(
    rows.map((row) => {
      const key = at(sorted, row.i);
      const document = documents.get(row.place) ?? row.base_document;
      if (document === null) {
        throw new Error(`consent_user of ${key.organizationId} points to a document that is not there (${key.userId})`);
      }
      return [
        userKeyText(key),
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

/** Of locked rows, by their places. */
async function documentsOf(tx: Sql, rows: readonly LockedRow[]): Promise<Map<string, string>> {
  const found = await tx.query<{ place: string; user_document: string }>(
    `SELECT u.ctid::text AS place, r.user_document FROM unnest($1::tid[]) AS k(place) JOIN consent_user u ON u.ctid = k.place
     JOIN consent_event_revision r ON r.organization_id = u.organization_id AND r.topic_id = u.document_topic_id
       AND r.partition = u.document_partition AND r.epoch = u.document_epoch AND r.log_offset = u.document_offset
       AND r.month = u.document_month`,
    [rows.map((row) => row.place)],
  );
  return new Map(found.map((row) => [row.place, row.user_document]));
}

function keyArrays(keys: readonly UserKey[]): Buffer[] {
  return [
    arrays.text(keys.map((key) => key.organizationId)),
    arrays.text(keys.map((key) => key.userId)),
    arrays.text(keys.map((key) => key.regulation)),
  ];
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new RangeError(`there is no item ${i}`);
  return item;
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
const changing: readonly (readonly [column: string, type: string, arrayOf: (rows: readonly UserRow[]) => Buffer])[] = [
  ['organization_user_id', 'text', (rows) => arrays.text(rows.map(({ state }) => state.organizationUserId))],
  ['version', 'int', (rows) => arrays.int4(rows.map(({ state }) => state.version))],
  ['guest', 'boolean', (rows) => arrays.bool(rows.map(({ guest }) => guest))],
  ['created_at', 'timestamptz', (rows) => arrays.timestamptz(rows.map(({ state }) => state.createdAt))],
  ['updated_at', 'timestamptz', (rows) => arrays.timestamptz(rows.map(({ state }) => state.updatedAt))],
  ['latest_effective_at', 'timestamptz', (rows) => arrays.timestamptz(rows.map(({ latest }) => latest.effectiveAt))],
  ['latest_topic_id', 'smallint', (rows) => arrays.int2(rows.map(({ latest }) => latest.position.topicId))],
  ['latest_partition', 'int', (rows) => arrays.int4(rows.map(({ latest }) => latest.position.partition))],
  ['latest_epoch', 'int', (rows) => arrays.int4(rows.map(({ latest }) => latest.position.epoch))],
  ['latest_offset', 'bigint', (rows) => arrays.int8(rows.map(({ latest }) => latest.position.offset))],
  ['document_month', 'date', (rows) => arrays.date(rows.map(({ document }) => monthOf(document.arrivedAt)))],
  ['document_offset', 'bigint', (rows) => arrays.int8(rows.map(({ document }) => document.offset))],
];

const changingNames = changing.map(([column]) => column).join(', ');
/** As `$4` to `$15`. */
const changingArrays = changing.map(([, type], i) => `$${i + 4}::${type}[]`).join(', ');
const changingValues = (rows: readonly UserRow[]) => changing.map(([, , arrayOf]) => arrayOf(rows));

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
    [...keyArrays(sorted), ...changingValues(sorted), place.topicId, place.partition, place.epoch],
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
