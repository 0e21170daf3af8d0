import fc from 'fast-check';
import {
  comparePosition,
  formatPositions,
  furthest,
  parsePositions,
  type Position,
  toPositions,
  type Positions,
} from './positions';
import { follows, makeWindow, type Window, windowHolds, windowRanges } from './window';

const TOPICS = ['consent.events.v1', 'consent.commands.v1'];

/** Logs that grow by steps: each step moves one partition on, by offsets or into a new epoch. */
const steps = fc.array(
  fc.record({
    topic: fc.constantFrom(...TOPICS),
    partition: fc.integer({ min: 0, max: 3 }),
    by: fc.bigInt({ min: 1n, max: 6n }),
    newEpoch: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    plan: fc.boolean(),
  }),
  { maxLength: 60 },
);

interface LogRecord {
  topic: string;
  partition: number;
  at: Position;
}

describe('windows', () => {
  it('tile the log without gap or overlap, in whatever order positions advance', () => {
    fc.assert(
      fc.property(steps, (moves) => {
        const records: LogRecord[] = [];
        const windows: Window[] = [];
        let recorded: Positions = {};
        let plannedTo: Positions = {};
        for (const { topic, partition, by, newEpoch, plan } of moves) {
          const here = recorded[topic]?.[partition] ?? { epoch: 1, offset: 0n };
          const start = newEpoch ? { epoch: here.epoch + 1, offset: 0n } : here;
          for (let offset = start.offset; offset < start.offset + by; offset += 1n) {
            records.push({ topic, partition, at: { epoch: start.epoch, offset } });
          }
          const end = { topic, partition, epoch: start.epoch, offset: start.offset + by };
          recorded = furthest(recorded, toPositions([end]));
          if (!plan) continue;
          windows.push(makeWindow(plannedTo, recorded));
          plannedTo = recorded;
        }
        windows.push(makeWindow(plannedTo, recorded));
        for (const { topic, partition, at } of records) {
          const holding = windows.filter((window) => windowHolds(window, topic, partition, at));
          if (holding.length !== 1) throw new Error(`${topic}/${partition} is in ${holding.length} windows`);
          // The ranges the export reads say the same as the definition.
          const inRanges = windows
            .flatMap(windowRanges)
            .filter(
              (range) =>
                range.topic === topic &&
                range.partition === partition &&
                comparePosition(range.from, at) <= 0 &&
                comparePosition(at, range.to) < 0,
            );
          expect(inRanges).toHaveLength(1);
        }
        windows.slice(1).forEach((window, index) => {
          const before = windows[index];
          expect(before !== undefined && follows(window, before)).toBe(true);
        });
      }),
    );
  });

  it('survive being stored', () => {
    fc.assert(
      fc.property(steps, (moves) => {
        const positions = toPositions(
          moves.map(({ topic, partition, by }) => ({ topic, partition, epoch: 1, offset: by })),
        );
        const stored: unknown = JSON.parse(JSON.stringify(formatPositions(positions)));
        expect(formatPositions(parsePositions(stored))).toEqual(formatPositions(positions));
        expect(windowRanges(makeWindow(positions, parsePositions(stored)))).toEqual([]);
      }),
    );
  });

  it('never run backwards', () => {
    const from = toPositions([{ topic: 'a', partition: 4, epoch: 1, offset: 5n }]);
    const to = toPositions([{ topic: 'a', partition: 4, epoch: 1, offset: 4n }]);
    expect(() => makeWindow(from, to)).toThrow('The window runs backwards in partition 4 of a.');
  });
});
