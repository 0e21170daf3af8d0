import { byteRange } from './byte-range';

it.each([
  ['bytes=5-', { start: 5, end: 9 }],
  ['bytes=2-3', { start: 2, end: 3 }],
  ['Bytes= 2-3 ', { start: 2, end: 3 }],
  ['bytes=5-99', { start: 5, end: 9 }],
  ['bytes=-2', { start: 8, end: 9 }],
  ['bytes=-10', undefined],
  ['bytes=-11', undefined],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=10-', 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
  [`bytes=0-${'9'.repeat(400)}`, { start: 0, end: 9 }],
  ['bytes=5-2', undefined],
  ['bytes=abc', undefined],
  ['bytes=', undefined],
  ['bytes=-', undefined],
  ['bytes=1-2x', undefined],
  ['bytes=+1-2', undefined],
  ['lines=1-2', undefined],
  ['bytes=0-1,3-4', undefined],
  [`bytes=${'0-0,'.repeat(100_000)}0-0`, undefined],
  [undefined, undefined],
])('of ten bytes, %.40s is %j', (header, part) => {
  expect(byteRange(header, 10)).toEqual(part);
});

it('of nothing has no part', () => {
  expect(byteRange('bytes=0-0', 0)).toBe('unsatisfiable');
  expect(byteRange('bytes=-5', 0)).toBeUndefined();
});
