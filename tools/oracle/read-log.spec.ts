import { Reading } from './read-log';

it('takes each message once, however often a consumer begins again', () => {
  const reading = new Reading(new Map([[0, 2n]]));
  const read = (partition: number, offsets: bigint[]) =>
    offsets.forEach((offset) => reading.take({ partition, offset, arrivedAt: 0, value: null, headers: {} }));
  read(0, [0n, 2n, 3n]);
  read(1, [0n]);
  read(0, [2n, 3n, 5n]);
  read(1, [0n, 1n]);
  expect(reading.messages.map(({ partition, offset }) => `${partition}/${offset}`)).toEqual([
    ...['0/2', '0/3', '1/0', '0/5', '1/1'],
  ]);
  expect([reading.next(0), reading.next(1), reading.next(2)]).toEqual([6n, 2n, 0n]);
});
