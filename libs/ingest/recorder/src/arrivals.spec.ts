import { inOrderOfArrival } from './arrivals';
import { fingerprintOf } from './fingerprint';
import type { LogMessage } from './topic-recorder';

const at = (ms: number, offset = 0): LogMessage => {
  const time = new Date(ms);
  return { offset: BigInt(offset), key: null, value: null, headers: {}, appendedAt: time, arrivedAt: time };
};
const arrivals = (times: number[], since?: number) =>
  inOrderOfArrival(
    times.map((ms) => at(ms)),
    since === undefined ? undefined : new Date(since),
  ).map(({ arrivedAt }) => arrivedAt.getTime());

describe('inOrderOfArrival', () => {
  it('leaves times that go forward as they are', () => {
    expect(arrivals([10, 10, 20], 5)).toEqual([10, 10, 20]);
    expect(arrivals([10, 20])).toEqual([10, 20]);
  });

  it('dates what a clock that went back has appended like the message before', () => {
    expect(arrivals([10, 30, 20, 25, 31])).toEqual([10, 30, 30, 30, 31]);
    expect(arrivals([10, 20, 40], 30)).toEqual([30, 30, 40]);
  });

  it('changes nothing that the message is recognised by', () => {
    const [message] = inOrderOfArrival([at(10, 7)], new Date(30));
    expect(message && fingerprintOf(message)).toEqual(fingerprintOf(at(10, 7)));
  });
});
