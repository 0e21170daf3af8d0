import fc from 'fast-check';
import { nextRange, offsetsBehind, type RecordedEpoch, type RollupPlace } from './consent-range';

const epoch = (number: number, firstOffset: bigint, nextOffset: bigint) => ({ epoch: number, firstOffset, nextOffset });

describe('nextRange', () => {
  const epochs = [epoch(1, 5n, 12n), epoch(2, 0n, 0n), epoch(4, 3n, 4n)];

  it('goes through all epochs, in pieces', () => {
    expect(nextRange(epochs, undefined, 5)).toEqual({ epoch: 1, from: 5n, to: 10n });
    expect(nextRange(epochs, { epoch: 1, nextOffset: 10n }, 5)).toEqual({ epoch: 1, from: 10n, to: 12n });
    expect(nextRange(epochs, { epoch: 1, nextOffset: 12n }, 5)).toEqual({ epoch: 4, from: 3n, to: 4n });
    expect(nextRange(epochs, { epoch: 4, nextOffset: 4n }, 5)).toBeUndefined();
    expect(nextRange([], undefined, 5)).toBeUndefined();
  });

  it('counts every offset once, and knows how many are left', () => {
    const logs = fc
      .array(fc.tuple(fc.bigInt(0n, 50n), fc.bigInt(0n, 30n)), { maxLength: 5 })
      .map((lives) => lives.map(([first, length], n): RecordedEpoch => epoch(n + 1, first, first + length)));
    fc.assert(
      fc.property(logs, fc.integer({ min: 1, max: 20 }), (all, limit) => {
        let place: RollupPlace | undefined;
        const passed: string[] = [];
        const wanted = all.flatMap(({ epoch: life, firstOffset, nextOffset }) =>
          Array.from({ length: Number(nextOffset - firstOffset) }, (_, n) => `${life} ${firstOffset + BigInt(n)}`),
        );
        for (let range = nextRange(all, place, limit); range; range = nextRange(all, place, limit)) {
          expect(offsetsBehind(all, place)).toBe(BigInt(wanted.length - passed.length));
          expect(Number(range.to - range.from)).toBeLessThanOrEqual(limit);
          for (let at = range.from; at < range.to; at += 1n) passed.push(`${range.epoch} ${at}`);
          place = { epoch: range.epoch, nextOffset: range.to };
        }
        expect(passed).toEqual(wanted);
        expect(offsetsBehind(all, place)).toBe(0n);
      }),
    );
  });
});
