import { Socket } from 'node:net';
import { applyEvent, eventDocument, normalizeEvent, userDocument } from '@delivery/consent/domain';
import { consentEventsTopic } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import type { Database } from '@delivery/platform/postgres';
import { consentEvents } from './generator';

export interface SeedOptions {
  organization: string;
  events: number;
  users: number;
  partitions: number;
}

/** Rows of one partition that lie together, as a recorder writes them. */
const BATCH = 1000;

/**
 * Fills the revisions with recorded events, many times faster than a recorder: no heads, no user rows, and a user's
 * document is that of his newest event. Every revision has one, which is the most an export may meet.
 */
export async function seedRevisions(database: Database, options: SeedOptions): Promise<void> {
  const positions = new PositionStore();
  const arrivedAt = new Date();
  await database.transaction(
    async (tx) => {
      const ends = Array.from({ length: options.partitions }, () => 0n);
      await tx.copyIn(copyStatement, rows(options, arrivedAt, ends));
      for (let partition = 0; partition < options.partitions; partition += 1) {
        const key = { consumer: 'consent', topic: consentEventsTopic, partition, clusterId: 'bench', firstOffset: 0n };
        await positions.begin(tx, key);
        const position = await positions.lock(tx, key.consumer, key.topic, partition);
        if (position === undefined) throw new Error('no position');
        const count = ends[partition] ?? 0n;
        const counted = { recorded: count, duplicates: 0n, rejected: 0n, suppressed: 0n, control: 0n };
        await positions.advance(tx, { position, nextOffset: count, counted });
      }
    },
    { statementTimeoutMs: 0 },
  );
  // VACUUM runs in no transaction, and longer than a statement of a service may.
  const client = await database.pool.connect();
  const { stream } = client.connection;
  if (stream instanceof Socket) stream.setTimeout(0);
  await client.query('SET statement_timeout = 0');
  await client.query('VACUUM ANALYZE consent_event_revision');
  client.release(true);
}

const copyStatement = `COPY consent_event_revision (organization_id, topic_id, partition, epoch, log_offset, month, event_id,
  user_id, regulation, status, event_version, user_version, guest, arrived_at, effective_at, event_document, user_document)
  FROM STDIN WITH (FORMAT csv, DELIMITER e'\\x02', QUOTE e'\\x01')`;

function* rows(
  { organization, events, users, partitions }: SeedOptions,
  arrivedAt: Date,
  ends: bigint[],
): Generator<string> {
  const versions = new Map<string, number>();
  const month = `${arrivedAt.toISOString().slice(0, 7)}-01`;
  const generator = consentEvents({ organization, users });
  for (let n = 0; n < events; n += 1) {
    const input = generator.next().value;
    if (input === undefined) return;
    const partition = Math.floor(n / BATCH) % partitions;
    const offset = ends[partition] ?? 0n;
    ends[partition] = offset + 1n;
    const position = { topicId: 1, partition, epoch: 1, offset };
    const arrival = { clusterId: 'bench', topic: consentEventsTopic, arrivedAt: arrivedAt.getTime(), position };
    const event = normalizeEvent(input, arrival);
    const version = (versions.get(event.userId) ?? 0) + 1;
    versions.set(event.userId, version);
    const time = arrivedAt.toISOString();
    const place = [organization, 1, position.partition, 1, position.offset, month].join('\x02');
    const rest = [event.id, event.userId, 'gdpr', 'confirmed', 1, version, 'f', time, time].join('\x02');
    const user = userDocument({ ...applyEvent(undefined, event), version });
    yield `${place}\x02${rest}\x02${eventDocument(event, 1)}\x02${user}\n`;
  }
}
