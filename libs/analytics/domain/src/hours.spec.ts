import fc from 'fast-check';
import { addDays, dayOf, daysCompletedBy, firstHourOf, hourOf, hourStart } from './hours';

const hours = fc.integer({ min: -100_000, max: 1_000_000 });

describe('hours', () => {
  it('are whole hours since 1970, UTC', () => {
    expect(hourOf(new Date('1970-01-01T00:00:00Z'))).toBe(0);
    expect(hourOf(new Date('2026-11-23T13:59:59.999Z'))).toBe(firstHourOf('2026-11-23') + 13);
    expect(hourOf(new Date('1969-12-31T23:59:59.999Z'))).toBe(-1);
    expect(hourStart(firstHourOf('2026-11-23') + 13)).toEqual(new Date('2026-11-23T13:00:00Z'));
    expect(dayOf(firstHourOf('2024-02-29') + 23)).toBe('2024-02-29');
    expect(dayOf(firstHourOf('2024-02-29') + 24)).toBe('2024-03-01');
  });

  it('hold every moment once', () => {
    fc.assert(
      fc.property(hours, fc.nat(3_599_999), (hour, within) => {
        expect(hourOf(new Date(hourStart(hour).getTime() + within))).toBe(hour);
      }),
    );
  });

  it('make up days of 24, one after the other', () => {
    fc.assert(
      fc.property(hours, (hour) => {
        const first = firstHourOf(dayOf(hour));
        expect(hour - first).toBeGreaterThanOrEqual(0);
        expect(hour - first).toBeLessThan(24);
        expect(firstHourOf(addDays(dayOf(hour), 1))).toBe(first + 24);
      }),
    );
  });
});

describe('daysCompletedBy', () => {
  const noon = firstHourOf('2026-02-28') + 12;

  it('names a day when its last hour is closed, and not before', () => {
    expect(daysCompletedBy(noon, noon + 11)).toEqual([]);
    expect(daysCompletedBy(noon, noon + 12)).toEqual(['2026-02-28']);
    expect(daysCompletedBy(noon + 12, noon + 13)).toEqual([]);
    expect(daysCompletedBy(noon, noon)).toEqual([]);
    expect(daysCompletedBy(noon, noon + 12 + 48)).toEqual(['2026-02-28', '2026-03-01', '2026-03-02']);
  });

  it('names each day once, in whatever steps hours are closed', () => {
    fc.assert(
      fc.property(hours, fc.array(fc.nat(60), { maxLength: 20 }), (start, steps) => {
        let at = start;
        const named = steps.flatMap((step) => daysCompletedBy(at, (at += step)));
        expect(named).toEqual(daysCompletedBy(start, at));
        expect(new Set(named).size).toBe(named.length);
      }),
    );
  });
});

describe('addDays', () => {
  it('knows months and leap years', () => {
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
    expect(addDays('2023-02-28', 1)).toBe('2023-03-01');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(addDays('2026-01-01', 365)).toBe('2027-01-01');
    expect(addDays('2026-01-01', 0)).toBe('2026-01-01');
  });
});
