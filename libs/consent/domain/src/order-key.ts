/** Where a message stands in the log of its topic; `epoch` counts the logs a partition has had. */
export interface Position {
  topicId: number;
  partition: number;
  epoch: number;
  offset: bigint;
}

/** The order in which a user's events are folded: effective time, then position, so that ties are the same everywhere. */
export interface OrderKey {
  /** Milliseconds since 1970 UTC. */
  effectiveAt: number;
  position: Position;
}

/** Negative when `a` comes before `b`; 0 only for one and the same position. */
export function compareOrderKeys(a: OrderKey, b: OrderKey): number {
  return (
    a.effectiveAt - b.effectiveAt ||
    a.position.topicId - b.position.topicId ||
    a.position.epoch - b.position.epoch ||
    a.position.partition - b.position.partition ||
    (a.position.offset < b.position.offset ? -1 : a.position.offset > b.position.offset ? 1 : 0)
  );
}
