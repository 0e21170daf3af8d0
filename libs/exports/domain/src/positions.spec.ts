import {
  BEGINNING,
  behind,
  comparePosition,
  formatPositions,
  furthest,
  hasReached,
  listPositions,
  parsePositions,
  positionIn,
  samePositions,
} from './positions';

const vector = (json: Record<string, Record<string, { epoch: number; offset: string }>>) => parsePositions(json);

describe('positions', () => {
  it('order by epoch, then by offset', () => {
    expect(comparePosition({ epoch: 1, offset: 900n }, { epoch: 2, offset: 1n })).toBe(-1);
    expect(comparePosition({ epoch: 2, offset: 1n }, { epoch: 1, offset: 900n })).toBe(1);
    expect(comparePosition({ epoch: 1, offset: 9n }, { epoch: 1, offset: 10n })).toBe(-1);
    expect(comparePosition({ epoch: 1, offset: 10n }, { epoch: 1, offset: 10n })).toBe(0);
  });

  it('take a missing component for the beginning', () => {
    expect(positionIn({}, 'a', 3)).toEqual(BEGINNING);
    expect(positionIn({}, '__proto__', 0)).toEqual(BEGINNING);
    expect(samePositions(vector({ a: { 0: { epoch: 0, offset: '0' } } }), {})).toBe(true);
  });

  it('keep offsets beyond 2^53 exact', () => {
    const json = { 'consent.events.v1': { '0': { epoch: 1, offset: '9007199254740993' } } };
    expect(formatPositions(parsePositions(json))).toEqual(json);
  });

  it('are formatted the same however they were made', () => {
    const a = vector({
      b: { 10: { epoch: 1, offset: '1' }, 2: { epoch: 1, offset: '2' } },
      a: { 0: { epoch: 1, offset: '3' } },
    });
    const b = vector({
      a: { 0: { epoch: 1, offset: '3' } },
      b: { 2: { epoch: 1, offset: '2' }, 10: { epoch: 1, offset: '1' } },
    });
    expect(JSON.stringify(formatPositions(a))).toBe(JSON.stringify(formatPositions(b)));
    expect(listPositions(a).map(({ topic, partition }) => `${topic}/${partition}`)).toEqual(['a/0', 'b/2', 'b/10']);
  });

  it('say in which component they are behind', () => {
    const at = vector({ a: { 0: { epoch: 1, offset: '5' }, 1: { epoch: 2, offset: '0' } } });
    const target = vector({
      a: { 0: { epoch: 1, offset: '7' }, 1: { epoch: 1, offset: '99' }, 2: { epoch: 1, offset: '1' } },
    });
    expect(behind(at, target).map(({ target: { partition } }) => partition)).toEqual([0, 2]);
    expect(hasReached(at, target)).toBe(false);
    expect(hasReached(furthest(at, target), target)).toBe(true);
    expect(positionIn(furthest(at, target), 'a', 1)).toEqual({ epoch: 2, offset: 0n });
  });

  it.each([
    ['a list', []],
    ['a text', '{}'],
    ['nothing', null],
    ['a topic that is no object', { a: 1 }],
    ['a partition that is no number', { a: { x: { epoch: 1, offset: '1' } } }],
    ['a partition with a sign', { a: { '-1': { epoch: 1, offset: '1' } } }],
    ['an offset that is a number', { a: { 0: { epoch: 1, offset: 1 } } }],
    ['an offset with a sign', { a: { 0: { epoch: 1, offset: '-1' } } }],
    ['an offset beyond 64 bits', { a: { 0: { epoch: 1, offset: '9223372036854775808' } } }],
    ['an epoch that is a fraction', { a: { 0: { epoch: 1.5, offset: '1' } } }],
    ['an epoch that is missing', { a: { 0: { offset: '1' } } }],
  ])('refuse %s', (_, json) => {
    expect(() => parsePositions(json)).toThrow('Not a position vector');
  });
});
