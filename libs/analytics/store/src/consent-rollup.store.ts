import type { Sql } from '@delivery/platform/postgres';
import { type ConsentRange, nextRange, type RecordedEpoch, type RollupPlace } from './consent-range';
import { OpenHourStore } from './open-hour.store';

/** A partition of the topics that consents are recorded from, and how far its consents are counted. */
export interface ConsentPartition {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** Ascending. */
  readonly epochs: readonly RecordedEpoch[];
  readonly place: RollupPlace | undefined;
}

export interface CountedConsents {
  /** Offsets that were passed. */
  readonly offsets: bigint;
  /** Consents that were counted: not all that was passed was one, or confirmed. */
  readonly consents: number;
  /** Of them, those counted in a later hour than that of their arrival, which was sealed. */
  readonly late: number;
}

/** Recorded consents, counted by their positions. Owns `consent_rollup_position` and `consent_hourly`. */
export class ConsentRollupStore {
  private readonly openHour = new OpenHourStore();

  /** All partitions that were ever recorded, with all their epochs. @param consumer - name of the consents' recorder */
  async partitions(sql: Sql, consumer: string): Promise<ConsentPartition[]> {
    const rows = await sql.query<PartitionRow>(
      `SELECT t.name AS topic, p.topic_id, p.partition, p.epoch, p.first_offset, p.next_offset,
         r.epoch AS counted_epoch, r.next_offset AS counted_offset
       FROM ingest_position p JOIN ingest_topic t USING (topic_id)
         LEFT JOIN consent_rollup_position r USING (topic_id, partition)
       WHERE p.consumer = $1 ORDER BY p.topic_id, p.partition, p.epoch`,
      [consumer],
    );
    return [...Map.groupBy(rows, (row) => `${row.topic_id} ${row.partition}`).values()].flatMap(toPartition);
  }

  /**
   * Counts the next consents of a partition, `limit` offsets at most, and moves its place. Any number may do so at once:
   * each offset is counted once.
   * @returns undefined when all that is recorded was counted, by whomever
   */
  async countNext(tx: Sql, partition: ConsentPartition, limit: number): Promise<CountedConsents | undefined> {
    const { topicId, epochs } = partition;
    const place = await this.lock(tx, partition);
    const range = nextRange(epochs, place, limit);
    if (range === undefined) return undefined;
    const open = await this.openHour.hold(tx);
    // A log that was made anew may bring what arrived before what was recorded last.
    const since = place?.epoch === range.epoch ? place.month : '-infinity';
    const [row] = await tx.query<{ consents: number; late: number; month: string | null }>(countSql, [
      ...[topicId, partition.partition, range.epoch, range.from.toString(), range.to.toString(), since, open],
    ]);
    await this.move(tx, partition, range, row?.month ?? since);
    return { offsets: range.to - range.from, consents: row?.consents ?? 0, late: row?.late ?? 0 };
  }

  /** When the first consent arrived that is kept; undefined when there is none. By a look into the index for each organization. */
  async firstArrival(sql: Sql, consumer: string): Promise<Date | undefined> {
    const [row] = await sql.query<{ first: Date | null }>(
      `SELECT min(r.arrived_at) AS first FROM organization o
         CROSS JOIN (SELECT topic_id, partition, epoch FROM ingest_position WHERE consumer = $1) p
         CROSS JOIN LATERAL (
           SELECT arrived_at FROM consent_event_revision r
           WHERE r.organization_id = o.organization_id AND r.topic_id = p.topic_id AND r.partition = p.partition
             AND r.epoch = p.epoch
           ORDER BY log_offset LIMIT 1) r`,
      [consumer],
    );
    return row?.first ?? undefined;
  }

  private async lock(tx: Sql, { topicId, partition }: ConsentPartition) {
    // Two that begin a partition at the same moment: the second waits for the first, and finds its place.
    await tx.query(
      `INSERT INTO consent_rollup_position (topic_id, partition, epoch, next_offset, month)
       VALUES ($1, $2, 0, 0, '-infinity') ON CONFLICT DO NOTHING`,
      [topicId, partition],
    );
    const [row] = await tx.query<{ epoch: number; next_offset: string; month: string }>(
      `SELECT epoch, next_offset, month::text FROM consent_rollup_position
       WHERE topic_id = $1 AND partition = $2 FOR UPDATE`,
      [topicId, partition],
    );
    return row && { epoch: row.epoch, nextOffset: BigInt(row.next_offset), month: row.month };
  }

  private async move(
    tx: Sql,
    { topicId, partition }: ConsentPartition,
    { epoch, to }: ConsentRange,
    month: string,
  ): Promise<void> {
    await tx.query(
      `UPDATE consent_rollup_position SET epoch = $3, next_offset = $4, month = $5 WHERE topic_id = $1 AND partition = $2`,
      [topicId, partition, epoch, to.toString(), month],
    );
  }
}

interface PartitionRow extends Record<string, unknown> {
  topic: string;
  topic_id: number;
  partition: number;
  epoch: number;
  first_offset: string;
  next_offset: string;
  counted_epoch: number | null;
  counted_offset: string | null;
}

function toPartition(rows: readonly PartitionRow[]): ConsentPartition[] {
  const [first] = rows;
  if (first === undefined) return [];
  const { topic, topic_id: topicId, partition, counted_epoch: epoch, counted_offset: offset } = first;
  const epochs = rows.map((row) => ({
    epoch: row.epoch,
    firstOffset: BigInt(row.first_offset),
    nextOffset: BigInt(row.next_offset),
  }));
  const place = epoch === null || offset === null ? undefined : { epoch, nextOffset: BigInt(offset) };
  return [{ topic, topicId, partition, epochs, place }];
}

/** A value that anybody may have sent, as a dimension: text of the length that interactions have, or `''`. */
function dimension(value: string, length: number): string {
  return `CASE jsonb_typeof(${value}) WHEN 'string' THEN left(${value} #>> '{}', ${length}) ELSE '' END`;
}

/** The first of two values that is there, as text or not. */
function either(a: string, b: string): string {
  return `coalesce(nullif(${a}, 'null'), nullif(${b}, 'null'))`;
}

const yes = `doc @? '$.consents.purposes[*] ? (@.enabled == true)' OR doc @? '$.consents.channels[*] ? (@.enabled == true)'
  OR doc @? '$.consents.vendors.enabled[*]'`;
const no = `doc @? '$.consents.purposes[*] ? (@.enabled == false)' OR doc @? '$.consents.channels[*] ? (@.enabled == false)'
  OR doc @? '$.consents.vendors.disabled[*]'`;

/**
 * Counts a range's exported consents, those of guests, too. Looks into the index of each organization: it leads the key,
 * and an index by the log's order alone would slow down recording for the sake of counting.
 */
const countSql = `
  WITH documents AS MATERIALIZED (
    SELECT o.organization_id, r.month, r.regulation, floor(extract(epoch FROM r.arrived_at) / 3600)::int AS arrived, r.doc
    FROM organization o CROSS JOIN LATERAL (
      SELECT month, regulation, arrived_at, event_document::jsonb AS doc FROM consent_event_revision r
      WHERE r.organization_id = o.organization_id AND topic_id = $1 AND partition = $2 AND epoch = $3
        AND log_offset >= $4::bigint AND log_offset < $5::bigint AND month >= $6::date AND user_version IS NOT NULL
      OFFSET 0) r),
  counted AS (
    SELECT organization_id, greatest(arrived, $7::int) AS hour, regulation,
      ${dimension(either(`doc #> '{metadata,settings_id}'`, `doc #> '{metadata,notice_id}'`), 64)} AS settings_id,
      ${dimension(`doc #> '{metadata,domain}'`, 253)} AS domain,
      CASE WHEN jsonb_typeof(doc #> '{metadata,platform}') = 'string' THEN left(doc #>> '{metadata,platform}', 64)
        WHEN doc->>'source' = 'sdk-web' THEN 'web' WHEN doc->>'source' = 'sdk-mobile' THEN 'app' ELSE '' END AS platform,
      ${dimension(`doc #> '{metadata,device_type}'`, 64)} AS device_type,
      ${dimension(either(`doc->'last_seen_country'`, `doc->'country'`), 64)} AS country,
      ${yes} AS yes, ${no} AS no
    FROM documents),
  summed AS (
    SELECT organization_id, hour, settings_id, domain, platform, device_type, country, regulation,
      count(*) FILTER (WHERE yes AND NOT no) AS positive, count(*) FILTER (WHERE no AND NOT yes) AS negative,
      count(*) FILTER (WHERE yes = no) AS partial
    FROM counted GROUP BY organization_id, hour, settings_id, domain, platform, device_type, country, regulation),
  added AS (
    INSERT INTO consent_hourly AS t (organization_id, hour, topic_id, partition, settings_id, domain, platform, device_type,
      country, regulation, positive, negative, partial)
    SELECT organization_id, hour, $1, $2, settings_id, domain, platform, device_type, country, regulation,
      positive, negative, partial
    FROM summed
    ON CONFLICT (organization_id, hour, topic_id, partition, settings_id, domain, platform, device_type, country, regulation)
    DO UPDATE SET positive = t.positive + excluded.positive, negative = t.negative + excluded.negative,
      partial = t.partial + excluded.partial)
  SELECT count(*)::int AS consents, (count(*) FILTER (WHERE arrived < $7::int))::int AS late, max(month)::text AS month FROM documents`;
