import type { Sql } from '@delivery/platform/postgres';

/** One page of finished JSON documents, and where the next one begins. */
export interface DocumentPage {
  documents: string[];
  /** Undefined on the last page. */
  next: string | undefined;
}

/** Where the log has what became an event, and what it became. */
export interface EventPlace {
  topic: string;
  partition: number;
  epoch: number;
  offset: bigint;
  /** The log's append time. */
  arrivedAt: Date;
  effectiveAt: Date;
  version: number;
  status: string;
  regulation: string;
  /** Of a user whom the customer has no id of his own for. */
  guest: boolean;
}

export interface EventFilter {
  organizationId: string;
  /** Either of the two. */
  userId?: string | undefined;
  organizationUserId?: string | undefined;
  statuses: readonly string[];
  regulations: readonly string[];
}

const revisionOfHead = `JOIN consent_event_revision r USING (organization_id, topic_id, partition, epoch, log_offset, month)`;

const revisionOfUser = `JOIN consent_event_revision r ON r.organization_id = u.organization_id AND r.topic_id = u.document_topic_id
  AND r.partition = u.document_partition AND r.epoch = u.document_epoch AND r.log_offset = u.document_offset
  AND r.month = u.document_month`;

/** Reads events and users of one organization, as the finished documents that exports deliver. */
export class ConsentReadStore {
  constructor(private readonly sql: Sql) {}

  /** The stored event of an id, whatever its status. */
  async event(organizationId: string, eventId: string): Promise<string | undefined> {
    const [row] = await this.sql.query<{ event_document: string }>(
      `SELECT r.event_document FROM consent_event_head h ${revisionOfHead} WHERE h.organization_id = $1 AND h.event_id = $2`,
      [organizationId, eventId],
    );
    return row?.event_document;
  }

  /** Where an event came from; undefined for an id that was never recorded. */
  async eventPlace(organizationId: string, eventId: string): Promise<EventPlace | undefined> {
    const [row] = await this.sql.query<Omit<EventPlace, 'offset'> & { log_offset: string }>(
      `SELECT t.name AS topic, r.partition, r.epoch, r.log_offset, r.arrived_at AS "arrivedAt",
         r.effective_at AS "effectiveAt", r.event_version AS version, r.status, r.regulation, r.guest
       FROM consent_event_head h ${revisionOfHead} JOIN ingest_topic t USING (topic_id)
       WHERE h.organization_id = $1 AND h.event_id = $2`,
      [organizationId, eventId],
    );
    if (row === undefined) return undefined;
    const { log_offset: offset, ...place } = row;
    return { ...place, offset: BigInt(offset) };
  }

  /** A user's events by id, `limit` at a time; `after` is the `next` of the page before. */
  async events(filter: EventFilter, limit: number, after: string | undefined): Promise<DocumentPage> {
    const rows = await this.sql.query<{ event_id: string; event_document: string }>(
      `SELECT h.event_id, r.event_document FROM consent_event_head h ${revisionOfHead}
       WHERE h.organization_id = $1 AND h.event_id > $2 AND h.status = ANY($3) AND h.regulation = ANY($4)
         AND h.user_id = ANY($5)
       ORDER BY h.event_id LIMIT $6`,
      [
        filter.organizationId,
        after ?? '',
        filter.statuses,
        filter.regulations,
        await this.userIdsOf(filter),
        limit + 1,
      ],
    );
    return pageOf(
      rows.map((row) => ({ key: row.event_id, document: row.event_document })),
      limit,
    );
  }

  /**
   * Whom a filter means. By the customer's own id: the users whose state holds it, and those of events that wait for
   * approval, which no state shows yet. A query of its own: with ids known, the events are found by the users' index.
   */
  private async userIdsOf({ organizationId, userId, organizationUserId }: EventFilter): Promise<string[]> {
    if (organizationUserId === undefined) return userId === undefined ? [] : [userId];
    const rows = await this.sql.query<{ user_id: string }>(
      `SELECT user_id FROM consent_user WHERE organization_id = $1 AND organization_user_id = $2
       UNION
       SELECT user_id FROM consent_event_revision WHERE organization_id = $1 AND status = 'pending_approval'
         AND event_document::jsonb #>> '{user,organization_user_id}' = $2`,
      [organizationId, organizationUserId],
    );
    return rows.map((row) => row.user_id).filter((id) => userId === undefined || id === userId);
  }

  async user(organizationId: string, userId: string, regulation: string): Promise<string | undefined> {
    return this.oneUser('u.user_id = $3', organizationId, regulation, userId);
  }

  /** Of several users with one id of the customer's, the one updated last (contracts D-21). */
  async userByOrganizationUserId(
    organizationId: string,
    organizationUserId: string,
    regulation: string,
  ): Promise<string | undefined> {
    return this.oneUser('u.organization_user_id = $3', organizationId, regulation, organizationUserId);
  }

  private async oneUser(
    condition: string,
    organizationId: string,
    regulation: string,
    id: string,
  ): Promise<string | undefined> {
    const [row] = await this.sql.query<{ document: string }>(
      `SELECT coalesce(r.user_document, u.base_document) AS document FROM consent_user u LEFT ${revisionOfUser}
       WHERE u.organization_id = $1 AND u.regulation = $2 AND ${condition} ORDER BY u.updated_at DESC, u.user_id LIMIT 1`,
      [organizationId, regulation, id],
    );
    return row?.document;
  }

  /** Users by id, `limit` at a time; `after` is the `next` of the page before. */
  async users(
    filter: { organizationId: string; regulation: string; organizationUserId?: string | undefined },
    limit: number,
    after: string | undefined,
  ): Promise<DocumentPage> {
    const rows = await this.sql.query<{ user_id: string; document: string }>(
      `SELECT u.user_id, coalesce(r.user_document, u.base_document) AS document FROM consent_user u LEFT ${revisionOfUser}
       WHERE u.organization_id = $1 AND u.user_id > $2 AND u.regulation = $3 AND ($4::text IS NULL OR u.organization_user_id = $4)
       ORDER BY u.user_id LIMIT $5`,
      [filter.organizationId, after ?? '', filter.regulation, filter.organizationUserId ?? null, limit + 1],
    );
    return pageOf(
      rows.map((row) => ({ key: row.user_id, document: row.document })),
      limit,
    );
  }
}

function pageOf(rows: readonly { key: string; document: string }[], limit: number): DocumentPage {
  const page = rows.slice(0, limit);
  return { documents: page.map((row) => row.document), next: rows.length > limit ? page.at(-1)?.key : undefined };
}
