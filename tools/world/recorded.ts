import { type Delivery, eventsTopic, judge, type Verdict } from '../oracle';
import type { World } from './world';

interface Row extends Record<string, unknown> {
  user_id: string;
  user_document: string;
  event_documents: string[];
}

/**
 * What is recorded of an organization, judged as if it had been delivered in one run: confirmed GDPR events with the user
 * document of their user's last revision. For stories about recording alone.
 */
export async function judgeRecorded(world: World, organizationId: string): Promise<Verdict> {
  const rows = await world.database.query<Row>(
    `SELECT user_id, array_agg(event_document ORDER BY user_version) AS event_documents,
       (array_agg(user_document ORDER BY user_version DESC))[1] AS user_document
     FROM consent_event_revision
     WHERE organization_id = $1 AND regulation = 'gdpr' AND user_version IS NOT NULL GROUP BY user_id`,
    [organizationId],
  );
  const partitions = (await world.positions()).filter(({ topic }) => topic === eventsTopic);
  const to = Object.fromEntries(
    partitions.map(({ partition, epoch, nextOffset }) => [partition, { epoch, offset: String(nextOffset) }]),
  );
  const lines = rows.map((row) => ({
    user: JSON.parse(row.user_document),
    events: row.event_documents.map((document) => JSON.parse(document)),
  }));
  const run = {
    run: 'recorded',
    organizationId,
    exportId: 'none',
    folder: '',
    from: {},
    to: { [eventsTopic]: to },
    lines,
  };
  const delivery: Delivery = { runs: [run], faults: [], unfinished: [] };
  return judge(world.ledger, { organizationId, exportId: 'none', includeGuests: true, delivery });
}
