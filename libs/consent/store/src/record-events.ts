import {
  applyEvent,
  compareOrderKeys,
  isGuestEvent,
  orderKeyOf,
  userDocument,
  type ConsentEvent,
  type ConsentUserState,
  type OrderKey,
} from '@delivery/consent/domain';
import type { Transaction } from '@delivery/platform/postgres';
import { claimIds } from './claim-ids';
import { recomputeUser } from './recompute-user';
import { copyRevisions, type Revision } from './revision.rows';
import {
  insertUsers,
  lockUsers,
  updateUsers,
  userKeyText,
  type LockedUser,
  type UserKey,
  type UserRow,
} from './user.rows';

/** An event with the append time of the message that brought it. */
export interface EventToRecord {
  event: ConsentEvent;
  arrivedAt: Date;
}

export interface RecordedEvents {
  recorded: number;
  duplicates: number;
}

/** What one batch adds to one user, in offset order. */
interface UserBatch {
  key: UserKey;
  items: EventToRecord[];
}

/**
 * Records new events of one partition, given in offset order, in the caller's transaction: claims their ids, folds the
 * confirmed ones into their users, appends one revision per event. Locks ids, then users, each in sorted order, so that
 * recorders of different partitions wait for each other and seldom deadlock.
 *
 * Only the last revision of a user in the batch carries his document: windows end where batches end, so no window ends
 * between two revisions of one batch.
 */
export async function recordEvents(tx: Transaction, batch: readonly EventToRecord[]): Promise<RecordedEvents> {
  const claimed = await claimIds(tx, batch);
  const [first] = claimed;
  if (first === undefined) return { recorded: 0, duplicates: batch.length };
  const users = groupByUser(claimed);
  await joinByIndex(tx);
  const rows = await foldUsers(
    tx,
    users,
    await lockUsers(
      tx,
      users.map((user) => user.key),
    ),
  );
  const missed = await insertUsers(
    tx,
    rows.filter((row) => row.place === undefined),
    first.event.position,
  );
  const written = missed.length === 0 ? rows : await refold(tx, users, rows, missed);
  await updateUsers(
    tx,
    written.filter((row): row is FoldedUser & { place: string } => row.place !== undefined),
    first.event.position,
  );
  await copyRevisions(tx, revisionsOf(claimed, written));
  return { recorded: claimed.length, duplicates: batch.length - claimed.length };
}

/**
 * A batch looks up a few hundred keys. While the tables are small, the planner would rather read them whole for each
 * batch, and goes on doing so with a plan made before they grew.
 */
async function joinByIndex(tx: Transaction): Promise<void> {
  await tx.query(`SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`);
}

interface FoldedUser extends UserRow {
  /** Where his row lies; absent while he has none. */
  place: string | undefined;
}

function groupByUser(claimed: readonly EventToRecord[]): UserBatch[] {
  const users = new Map<string, UserBatch>();
  for (const item of claimed) {
    const { event } = item;
    if (event.status !== 'confirmed') continue;
    const key = { organizationId: event.organizationId, userId: event.userId, regulation: event.regulation };
    const text = userKeyText(key);
    const user = users.get(text);
    if (user) user.items.push(item);
    else users.set(text, { key, items: [item] });
  }
  return [...users.values()];
}

async function foldUsers(
  tx: Transaction,
  users: readonly UserBatch[],
  locked: ReadonlyMap<string, LockedUser>,
): Promise<FoldedUser[]> {
  const rows: FoldedUser[] = [];
  for (const user of users) rows.push(await foldUser(tx, user, locked.get(userKeyText(user.key))));
  return rows;
}

async function foldUser(tx: Transaction, user: UserBatch, locked: LockedUser | undefined): Promise<FoldedUser> {
  const events = user.items.map(({ event }) => event).sort((a, b) => compareOrderKeys(orderKeyOf(a), orderKeyOf(b)));
  const [oldest] = events;
  const newest = events.at(-1);
  const last = user.items.at(-1);
  if (!oldest || !newest || !last) throw new RangeError('a user of a batch has at least one event');
  const outOfOrder = locked !== undefined && compareOrderKeys(orderKeyOf(oldest), locked.latest) < 0;
  const folded = outOfOrder ? await recomputeUser(tx, user.key, events) : fold(locked?.state, events);
  return {
    ...user.key,
    state: { ...folded, version: (locked?.version ?? 0) + events.length },
    guest: (locked?.guest ?? true) && events.every(isGuestEvent),
    latest: later(locked?.latest, orderKeyOf(newest)),
    document: { offset: last.event.position.offset, arrivedAt: last.arrivedAt },
    place: locked?.place,
  };
}

function fold(state: ConsentUserState | undefined, events: readonly ConsentEvent[]): ConsentUserState {
  const folded = events.reduce<ConsentUserState | undefined>(applyEvent, state);
  if (folded === undefined) throw new RangeError('nothing to fold');
  return folded;
}

function later(a: OrderKey | undefined, b: OrderKey): OrderKey {
  return a !== undefined && compareOrderKeys(a, b) > 0 ? a : b;
}

/** Another recorder created some of these users since we looked: now they can be locked and folded onto. */
async function refold(
  tx: Transaction,
  users: readonly UserBatch[],
  rows: readonly FoldedUser[],
  missed: readonly UserRow[],
): Promise<FoldedUser[]> {
  const again = new Set(missed.map(userKeyText));
  const late = users.filter((user) => again.has(userKeyText(user.key)));
  const refolded = await foldUsers(
    tx,
    late,
    await lockUsers(
      tx,
      late.map((user) => user.key),
    ),
  );
  return [...rows.filter((row) => !again.has(userKeyText(row))), ...refolded];
}

function revisionsOf(claimed: readonly EventToRecord[], users: readonly FoldedUser[]): Revision[] {
  const byKey = new Map(users.map((user) => [userKeyText(user), user]));
  const versions = new Map<FoldedUser, number>();
  const revisions: Revision[] = [];
  // Backwards, so that the last revision of a user, which carries his document, has the version of his state.
  for (const { event, arrivedAt } of claimed.toReversed()) {
    const user =
      event.status === 'confirmed'
        ? byKey.get(`${event.organizationId} ${event.regulation} ${event.userId}`)
        : undefined;
    if (user === undefined) {
      revisions.push({
        event,
        arrivedAt,
        eventVersion: 1,
        userVersion: undefined,
        userDocument: undefined,
        guest: isGuestEvent(event),
      });
      continue;
    }
    const version = versions.get(user) ?? user.state.version;
    revisions.push({
      event,
      arrivedAt,
      eventVersion: 1,
      userVersion: version,
      userDocument: version === user.state.version ? userDocument(user.state) : undefined,
      guest: user.guest,
    });
    versions.set(user, version - 1);
  }
  return revisions.reverse();
}
