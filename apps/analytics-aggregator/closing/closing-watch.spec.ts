import { firstHourOf } from '@delivery/analytics/domain';
import { ClosingWatch } from './closing-watch';

const nextHour = firstHourOf('2026-03-01') + 10;
const waiting = 'partition 2 of consent.interactions.v1 is 7 messages behind';

describe('closing', () => {
  let now = 0;
  const watch = () => new ClosingWatch(900, () => now);
  const state = (behindSeconds: number, hour = nextHour) => ({ nextHour: hour, behindSeconds, waitingFor: waiting });

  beforeEach(() => (now = 1_000_000));

  it('is late when an hour has been over for too long, and tells why', () => {
    const closing = watch();
    expect(closing.fault()).toBeUndefined();
    closing.look(state(0));
    now += 901_000;
    closing.look(state(899));
    expect(closing.fault()).toBeUndefined();
    closing.look(state(901));
    expect(closing.fault()).toBe(
      'The hour from 2026-03-01T10:00:00.000Z has been over for 901 s and is not closed: ' +
        'partition 2 of consent.interactions.v1 is 7 messages behind.',
    );
  });

  it('is not late while it gets on, by whichever process', () => {
    const closing = watch();
    for (let hour = 0; hour < 10; hour += 1) {
      now += 600_000;
      closing.look(state(100_000, nextHour + hour));
      expect(closing.fault()).toBeUndefined();
    }
    now += 901_000;
    closing.look(state(100_000, nextHour + 9));
    expect(closing.fault()).toContain('has been over for 100000 s');
  });

  it('tells that it does not know why', () => {
    const closing = watch();
    closing.look({ ...state(0), waitingFor: undefined });
    now += 901_000;
    closing.look({ ...state(1000), waitingFor: undefined });
    expect(closing.fault()).toMatch(/it is being closed\.$/);
  });
});
