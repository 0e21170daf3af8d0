import { HealthChecks } from './health-checks';

describe('HealthChecks', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('answers for a check that takes too long, with the reason it gave in the end the time before', async () => {
    const health = new HealthChecks();
    health.become('ready');
    let fail: (error: Error) => void = () => undefined;
    health.register('kafka', () => new Promise<void>((_, reject) => (fail = reject)));
    const reason = async () => {
      const report = health.readiness();
      await jest.advanceTimersByTimeAsync(2_000);
      return (await report).checks['kafka']?.reason;
    };
    expect(await reason()).toBe('no answer within 2000 ms');
    fail(new Error('connect ECONNREFUSED'));
    expect(await reason()).toBe('no answer within 2000 ms (before: connect ECONNREFUSED)');
  });
});
