import fc from 'fast-check';
import { dueTimesBetween, makeCadence, nextDue, utcDay } from './cadence';

const time = fc.date({
  min: new Date('2000-01-01T00:00:00Z'),
  max: new Date('2100-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const days = fc.integer({ min: 1, max: 31 });

describe('cadence', () => {
  it('is due 24 hours after creation, then every n days', () => {
    const cadence = makeCadence(new Date('2026-03-28T22:30:00Z'), 1);
    expect(nextDue(cadence, new Date('2026-03-28T22:30:00Z')).toISOString()).toBe('2026-03-29T22:30:00.000Z');
    expect(nextDue(cadence, new Date('2026-03-29T22:30:00Z')).toISOString()).toBe('2026-03-30T22:30:00.000Z');
    const weekly = makeCadence(new Date('2026-03-28T22:30:00Z'), 7);
    expect(nextDue(weekly, new Date('2026-03-29T22:30:00Z')).toISOString()).toBe('2026-04-05T22:30:00.000Z');
  });

  it('names all due times that were missed', () => {
    const cadence = makeCadence(new Date('2026-01-01T06:00:00Z'), 1);
    const missed = dueTimesBetween(cadence, new Date('2026-01-02T06:00:00Z'), new Date('2026-01-05T05:59:59Z'));
    expect(missed.map(utcDay)).toEqual(['2026-01-02', '2026-01-03', '2026-01-04']);
  });

  it('has no due time before the first', () => {
    const cadence = makeCadence(new Date('2026-01-01T06:00:00Z'), 1);
    expect(dueTimesBetween(cadence, new Date('2025-01-01T00:00:00Z'), new Date('2026-01-02T05:59:59.999Z'))).toEqual(
      [],
    );
  });

  it('neither skips nor repeats a due time, however often and late it is looked at', () => {
    fc.assert(
      fc.property(
        time,
        days,
        fc.array(fc.integer({ min: 0, max: 40 * 86_400_000 }), { maxLength: 20 }),
        (created, n, pauses) => {
          const cadence = makeCadence(created, n);
          const seen: number[] = [];
          let next = nextDue(cadence, created);
          let now = created.getTime();
          for (const pause of pauses) {
            now += pause;
            const due = dueTimesBetween(cadence, next, new Date(now));
            seen.push(...due.map((each) => each.getTime()));
            next = nextDue(cadence, new Date(Math.max(now, next.getTime() - 1)));
          }
          const all = dueTimesBetween(cadence, created, new Date(now)).map((each) => each.getTime());
          expect(seen).toEqual(all);
          all.forEach((each, index) => expect(each).toBe(created.getTime() + 86_400_000 * (1 + index * n)));
        },
      ),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a frequency of %p days', (everyDays) => {
    expect(() => makeCadence(new Date(), everyDays)).toThrow('whole number of days');
  });
});
