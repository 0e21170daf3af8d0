import { eventDocument, type ConsentEvent } from '@delivery/consent/domain';
import { CopyRows, type Transaction } from '@delivery/platform/postgres';
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

const columns = `organization_id, topic_id, partition, epoch, log_offset, month, event_id, user_id, regulation, status,
  event_version, user_version, guest, arrived_at, effective_at, event_document, user_document`;

/** Appends revisions in one `COPY`. */
export async function copyRevisions(tx: Transaction, revisions: readonly Revision[]): Promise<void> {
  await tx.copyIn(`COPY consent_event_revision (${columns}) FROM STDIN WITH (FORMAT binary)`, pieces(revisions));
}

const bytesPerPiece = 1 << 18;

function* pieces(revisions: readonly Revision[]): Generator<Buffer> {
  const rows = new CopyRows();
  for (const revision of revisions) {
    write(rows, revision);
    if (rows.size >= bytesPerPiece) yield rows.take();
  }
  yield rows.end();
}

function write(rows: CopyRows, { event, arrivedAt, eventVersion, userVersion, userDocument, guest }: Revision): void {
  const { topicId, partition, epoch, offset } = event.position;
  rows.row(17).text(event.organizationId).int2(topicId).int4(partition).int4(epoch).int8(offset);
  rows.date(monthOf(arrivedAt)).text(event.id).text(event.userId).text(event.regulation).text(event.status);
  rows.int4(eventVersion);
  if (userVersion === undefined) rows.null();
  else rows.int4(userVersion);
  rows.bool(guest).timestamptz(arrivedAt.getTime()).timestamptz(event.effectiveAt);
  rows.text(eventDocument(event, eventVersion));
  if (userDocument === undefined) rows.null();
  else rows.text(userDocument);
}
