import { eventDocument, type ConsentEvent } from '@delivery/consent/domain';
import type { Transaction } from '@delivery/platform/postgres';
import { monthOf } from './rows';

/** One state of one event at one position, with what its user's state became where the batch last touched him. */
export interface Revision {
  event: ConsentEvent;
  arrivedAt: Date;
  eventVersion: number;
  /** Absent for events that are not folded. */
  userVersion: number | undefined;
  userDocument: string | undefined;
  guest: boolean;
}

// JSON text holds neither of these bytes unescaped, and ids are validated not to: nothing needs quoting or escaping.
const separator = '\x02';
const quote = '\x01';

const copyStatement = `COPY consent_event_revision (organization_id, topic_id, partition, epoch, log_offset, month, event_id,
  user_id, regulation, status, event_version, user_version, guest, arrived_at, effective_at, event_document, user_document)
  FROM STDIN WITH (FORMAT csv, DELIMITER e'\\x02', QUOTE e'\\x01')`;

/** Appends revisions in one `COPY`. */
export async function copyRevisions(tx: Transaction, revisions: readonly Revision[]): Promise<void> {
  await tx.copyIn(copyStatement, lines(revisions));
}

const linesPerChunk = 200;

function* lines(revisions: readonly Revision[]): Generator<string> {
  for (let begin = 0; begin < revisions.length; begin += linesPerChunk) {
    let chunk = '';
    for (const revision of revisions.slice(begin, begin + linesPerChunk)) chunk += line(revision);
    yield chunk;
  }
}

function line(revision: Revision): string {
  const { event, arrivedAt } = revision;
  const { topicId, partition, epoch, offset } = event.position;
  return `${[
    event.organizationId,
    topicId,
    partition,
    epoch,
    offset,
    monthOf(arrivedAt),
    event.id,
    quote + event.userId + quote,
    event.regulation,
    event.status,
    revision.eventVersion,
    revision.userVersion ?? '',
    revision.guest ? 't' : 'f',
    arrivedAt.toISOString(),
    new Date(event.effectiveAt).toISOString(),
    eventDocument(event, revision.eventVersion),
    revision.userDocument ?? '',
  ].join(separator)}\n`;
}
