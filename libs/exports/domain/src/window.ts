import { ExportFault } from './errors';
import {
  behind,
  comparePosition,
  listPositions,
  positionIn,
  type Position,
  type Positions,
  samePositions,
} from './positions';

/** Everything recorded at positions `[from, to)`, component by component. Says nothing about times. */
export interface Window {
  readonly from: Positions;
  readonly to: Positions;
}

/** The part of a window that lies in one partition: `[from, to)` by (epoch, offset). */
export interface WindowRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: Position;
  readonly to: Position;
}

/** @throws ExportFault `invalid_window` when `to` lies before `from` in any component */
export function makeWindow(from: Positions, to: Positions): Window {
  const [back] = behind(to, from);
  if (back !== undefined) {
    const { topic, partition } = back.target;
    throw new ExportFault('invalid_window', `The window runs backwards in partition ${partition} of ${topic}.`);
  }
  return { from, to };
}

/** The non-empty ranges of a window, sorted by topic and partition. */
export function windowRanges({ from, to }: Window): WindowRange[] {
  return listPositions(to)
    .map(({ topic, partition, epoch, offset }) => ({
      topic,
      partition,
      from: positionIn(from, topic, partition),
      to: { epoch, offset },
    }))
    .filter((range) => comparePosition(range.from, range.to) < 0);
}

/** Whether the record at this position (not: the position after it) belongs to the window. */
export function windowHolds(window: Window, topic: string, partition: number, at: Position): boolean {
  return (
    comparePosition(positionIn(window.from, topic, partition), at) <= 0 &&
    comparePosition(at, positionIn(window.to, topic, partition)) < 0
  );
}

/** Whether `next` begins exactly where `window` ends. */
export function follows(next: Window, window: Window): boolean {
  return samePositions(next.from, window.to);
}
