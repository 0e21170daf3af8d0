import type { Position } from '@delivery/exports/domain';

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
}

/**
 * What is delivered: one SQL text that yields finished lines. A new content is a folder with such an object and its
 * line in the registry.
 */
export interface Content {
  readonly name: string;
  /** Of its lines; named in manifests. */
  readonly schemaVersion: number;
  /**
   * A query without parameters, for `COPY`: the columns `line text, events int4, users int4`, in an order that is the
   * same every time. `events` are those in this line; `users` is 1 in the first line of a user, else 0.
   * Must run in constant memory, and read what the window holds, not what the table holds.
   */
  linesSql(request: ContentRequest): string;
  /** A query without parameters that counts the window's events at little cost: the estimate that progress is told by. */
  estimateSql(request: ContentRequest): string;
}
