import { Heartbeats } from './heartbeats';

describe('Heartbeats', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('beats while work lasts, and not afterwards', async () => {
    let sent = 0;
    const beats = new Heartbeats(async () => void (sent += 1), 100);
    await jest.advanceTimersByTimeAsync(350);
    expect(sent).toBe(3);
    await beats.stop();
    await jest.advanceTimersByTimeAsync(1000);
    expect(sent).toBe(3);
    expect(beats.failure).toBeUndefined();
  });

  it('keeps the first answer that was no success, for whoever asks', async () => {
    const answers = [new Error('rebalance'), new Error('later')];
    const beats = new Heartbeats(async () => Promise.reject(answers.shift()), 100);
    await jest.advanceTimersByTimeAsync(250);
    expect(beats.failure).toEqual(new Error('rebalance'));
    await expect(beats.beat()).rejects.toBe(beats.failure);
    await beats.stop();
  });
});
