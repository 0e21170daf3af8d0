import { Backoff } from './backoff';

it('doubles the pause up to half a minute, and begins again after a healthy minute', () => {
  const backoff = new Backoff();
  expect(Array.from({ length: 8 }, () => backoff.next(100))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ]);
  expect(backoff.next(60_000)).toBe(500);
  expect(backoff.next(100)).toBe(1000);
});
