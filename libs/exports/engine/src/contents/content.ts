import type { Position } from '@delivery/exports/domain';
import type { ContentSource } from '../sources/content-source';

/** The part of a window in one partition, with the number that rows know the topic by. */
export interface ContentRange {
  readonly topicId: number;
  readonly partition: number;
  readonly from: Position;
  readonly to: Position;
}

export interface ContentRequest {
  readonly organizationId: string;
  readonly ranges: readonly ContentRange[];
  readonly includeGuests: boolean;
  /** The months that the rows of the ranges lie in, as the survey found them. */
  readonly months: Months;
}

/** First days of months, `YYYY-MM-DD`, both inclusive. */
export interface Months {
  readonly first: string;
  readonly last: string;
}

/**
 * What is delivered: SQL that yields finished lines. A new content is a folder with such an object and its line in the
 * registry.
 */
export interface Content {
  readonly name: string;
  /** Of its lines; named in manifests. */
  readonly schemaVersion: number;
  /** Whether a line holds several events of a user; otherwise a line is one event, and nobody counts users. */
  readonly grouped: boolean;
  /** What its windows are ranges of. */
  readonly source: ContentSource;
  /**
   * Queries without parameters, for one `COPY` after the other, each in an order that is the same every time. Their
   * columns are `line text` and, of a grouped content, `events int4, users int4`: `events` are those in this line,
   * `users` is 1 in the first line of a user, else 0. None when the window holds nothing.
   * Must run in constant memory, and read what the window holds, not what the table holds.
   */
  linesSql(request: ContentRequest): readonly string[];
  /**
   * A query without parameters over the same rows, at little cost: `events int8`, the estimate that progress is told by,
   * and the months they lie in, `first_month text, last_month text`, both null when there are none. Found in the rows and
   * not derived from times, since no clock is to be trusted with what is delivered.
   */
  surveySql(request: Omit<ContentRequest, 'months'>): string;
}
