import * as fc from 'fast-check';
import { type Border, limitOf, type LogPlace, nextBorder } from './rewind';

const place = (partition: number, nextOffset: bigint, epoch = 1): LogPlace => ({
  topic: 't',
  partition,
  epoch,
  nextOffset,
});

describe('limitOf', () => {
  it.each<[string, LogPlace, Border | undefined, bigint | undefined]>([
    ['no border: as far as there is', place(0, 3n), undefined, undefined],
    ['up to the border', place(0, 3n), [place(0, 5n)], 5n],
    ['beyond it: not a step', place(0, 7n), [place(0, 5n)], 7n],
    ['not in it: had not begun', place(1, 3n), [place(0, 5n)], 3n],
    ['the border lies in an earlier life of the log', place(0, 3n, 2), [place(0, 5n)], 3n],
    ['the border lies in a later one', place(0, 3n), [place(0, 5n, 2)], undefined],
  ])('%s', (_, at, border, limit) => expect(limitOf(at, border)).toBe(limit));
});

it('every order of recording passes the borders one after the other, and ends', () => {
  const partitions = 3;
  const steps = fc.array(fc.tuple(fc.nat(partitions - 1), fc.integer({ min: 1, max: 4 })), { maxLength: 12 });
  const picks = fc.infiniteStream(fc.tuple(fc.nat(partitions - 1), fc.integer({ min: 1, max: 9 })));
  fc.assert(
    fc.property(steps, picks, (moves, choices) => {
      const ends = Array<bigint>(partitions).fill(0n);
      const borders = moves.map(([partition, by]) => {
        ends[partition] = (ends[partition] ?? 0n) + BigInt(by);
        return ends.map((end, each) => place(each, end)).filter(({ nextOffset }) => nextOffset > 0n);
      });
      const at = ends.map((_, partition) => place(partition, 0n));
      const passed: number[] = [];
      for (let steps = 0; nextBorder(borders, at) !== undefined; steps += 1) {
        expect(steps).toBeLessThan(10_000);
        const { value } = choices.next();
        const [partition, wish] = value ?? [0, 1];
        const own = at[partition] ?? place(partition, 0n);
        const open = nextBorder(borders, at);
        const limit = limitOf(own, open) ?? ends[partition] ?? 0n;
        const wanted = own.nextOffset + BigInt(wish);
        at[partition] = place(partition, wanted < limit ? wanted : limit);
        const border = borders.findIndex((each) => each === open);
        // Whoever is beyond a border that others have not reached would break the order.
        for (const { partition: each, nextOffset } of at) {
          const end = open?.find((one) => one.partition === each)?.nextOffset ?? 0n;
          expect(nextOffset <= end).toBe(true);
        }
        passed.push(border);
      }
      expect(passed).toEqual([...passed].sort((a, b) => a - b));
      expect(at.map(({ nextOffset }) => nextOffset)).toEqual(ends);
    }),
    { numRuns: 200 },
  );
});
