/** A place in one partition: the next offset to be recorded, within one life of the topic. */
export interface LogPlace {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  readonly nextOffset: bigint;
}

/** A partition that was recorded further once than this database knows. */
export interface Rewind extends LogPlace {
  /** `nextOffset` is what was recorded then; deliveries up to here were looked for, or not yet. */
  readonly reconciled: boolean;
}

/** Positions that all partitions had at one moment before: the end of a window. What it does not name had not begun. */
export type Border = readonly LogPlace[];

/** -1, 0 or 1: a later epoch is further than any offset of an earlier one. */
export function comparePlaces(
  a: Pick<LogPlace, 'epoch' | 'nextOffset'>,
  b: Pick<LogPlace, 'epoch' | 'nextOffset'>,
): -1 | 0 | 1 {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.nextOffset === b.nextOffset) return 0;
  return a.nextOffset < b.nextOffset ? -1 : 1;
}

/** The first border that some partition has not reached. */
export function nextBorder(borders: readonly Border[], positions: readonly LogPlace[]): Border | undefined {
  return borders.find((border) =>
    border.some((place) => {
      const at = placeIn(positions, place);
      return at === undefined || comparePlaces(at, place) < 0;
    }),
  );
}

/**
 * How far a partition may be recorded before the others have reached the border too. Everything below a border was
 * recorded before anything beyond it; recorded again in another order, another of two events with one id would win, and
 * a window would end where no batch does.
 *
 * @returns `undefined`: as far as there is
 */
export function limitOf(at: LogPlace, border: Border | undefined): bigint | undefined {
  if (border === undefined) return undefined;
  const own = placeIn(border, at);
  if (own === undefined || own.epoch < at.epoch) return at.nextOffset;
  // A later life of the log begins by the operator's word; until then this one goes to its end.
  if (own.epoch > at.epoch) return undefined;
  return own.nextOffset > at.nextOffset ? own.nextOffset : at.nextOffset;
}

function placeIn(places: readonly LogPlace[], { topic, partition }: LogPlace): LogPlace | undefined {
  return places.find((each) => each.topic === topic && each.partition === partition);
}
