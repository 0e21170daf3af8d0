import fc from 'fast-check';
import { addDays, dayOf, firstHourOf } from './hours';
import {
  AGGREGATIONS,
  formatReportPrefix,
  FREQUENCIES,
  lastDayMade,
  lastDayPromised,
  madeAt,
  parseReportPrefix,
  periodOf,
  periodsEnding,
  promisedAt,
} from './report-period';

// Not into the year 10000, whose days have no name.
const days = fc.integer({ min: 0, max: firstHourOf('9999-11-30') / 24 }).map((day) => dayOf(day * 24));
const periods = fc.tuple(fc.constantFrom(...FREQUENCIES), days).map(([frequency, day]) => periodOf(frequency, day));

describe('the name of a report', () => {
  it.each([
    ['interaction-2022-04-01', 'interaction', 'daily', '2022-04-01', '2022-04-01'],
    ['granular-2022-04-04-2022-04-10', 'granular', 'weekly', '2022-04-04', '2022-04-10'],
    ['interaction-2022-04-01-2022-04-30', 'interaction', 'monthly', '2022-04-01', '2022-04-30'],
    ['granular-2024-02-29', 'granular', 'daily', '2024-02-29', '2024-02-29'],
    ['granular-2024-02-01-2024-02-29', 'granular', 'monthly', '2024-02-01', '2024-02-29'],
    ['granular-2023-02-01-2023-02-28', 'granular', 'monthly', '2023-02-01', '2023-02-28'],
    // Begins on a Monday and has 28 days: a month all the same, and its first week a week.
    ['granular-2021-02-01-2021-02-28', 'granular', 'monthly', '2021-02-01', '2021-02-28'],
    ['granular-2021-02-01-2021-02-07', 'granular', 'weekly', '2021-02-01', '2021-02-07'],
    ['interaction-2025-12-29-2026-01-04', 'interaction', 'weekly', '2025-12-29', '2026-01-04'],
    ['interaction-2000-02-01-2000-02-29', 'interaction', 'monthly', '2000-02-01', '2000-02-29'],
  ])('%s', (prefix, aggregation, frequency, firstDay, lastDay) => {
    expect(parseReportPrefix(prefix)).toEqual({ aggregation, frequency, firstDay, lastDay });
  });

  it.each([
    ['another aggregation', 'interactions-2022-04-01'],
    ['upper case', 'Interaction-2022-04-01'],
    ['seven days from a Tuesday', 'granular-2022-04-05-2022-04-11'],
    ['six days from a Monday', 'granular-2022-04-04-2022-04-09'],
    ['eight days from a Monday', 'granular-2022-04-04-2022-04-11'],
    ['two weeks', 'granular-2022-04-04-2022-04-17'],
    ['a month but for its last day', 'granular-2022-04-01-2022-04-29'],
    ['a month and a day', 'granular-2022-04-01-2022-05-01'],
    ['a month but for its first day', 'granular-2022-04-02-2022-04-30'],
    ['February with a day too many', 'granular-2023-02-01-2023-02-29'],
    ['a leap February without its last day', 'granular-2024-02-01-2024-02-28'],
    ['no leap year: 1900', 'granular-1900-02-29'],
    ['a day twice', 'interaction-2022-04-01-2022-04-01'],
    ['backwards', 'interaction-2022-04-10-2022-04-04'],
    ['a quarter', 'interaction-2022-01-01-2022-03-31'],
    ['a day that no month has', 'interaction-2022-04-31'],
    ['a month that no year has', 'interaction-2022-13-01'],
    ['day zero', 'interaction-2022-04-00'],
    ['one digit', 'interaction-2022-4-1'],
    ['a shard', 'interaction-2022-04-01-000000000000'],
    ['a file', 'interaction-2022-04-01-000000000000.csv'],
    ['three days', 'interaction-2022-04-01-2022-04-30-2022-05-01'],
    ['a time', 'interaction-2022-04-01T00:00:00Z'],
    ['a line end', 'interaction-2022-04-01\n'],
    ['something before', 'x-interaction-2022-04-01'],
    ['a way out', '../interaction-2022-04-01'],
    ['no day', 'interaction-'],
    ['nothing', ''],
  ])('is none with %s', (_, prefix) => {
    expect(parseReportPrefix(prefix)).toBeUndefined();
  });

  it('is read as it is written, whatever the period', () => {
    fc.assert(
      fc.property(fc.constantFrom(...AGGREGATIONS), periods, (aggregation, period) => {
        const name = { aggregation, ...period };
        expect(parseReportPrefix(formatReportPrefix(name))).toEqual(name);
      }),
    );
  });

  it('is only read when writing gives the same again', () => {
    const digits = fc.stringMatching(/^(interaction|granular)-\d{4}-[01]\d-[0-3]\d(-\d{4}-[01]\d-[0-3]\d)?$/);
    fc.assert(
      fc.property(digits, (prefix) => {
        const name = parseReportPrefix(prefix);
        if (name !== undefined) expect(formatReportPrefix(name)).toBe(prefix);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('periodOf', () => {
  it.each([
    ['weekly', '2026-11-23', '2026-11-23', '2026-11-29'], // a Monday
    ['weekly', '2026-11-29', '2026-11-23', '2026-11-29'], // a Sunday
    ['weekly', '2024-02-29', '2024-02-26', '2024-03-03'],
    ['weekly', '2026-01-01', '2025-12-29', '2026-01-04'],
    ['monthly', '2024-02-15', '2024-02-01', '2024-02-29'],
    ['monthly', '2100-02-15', '2100-02-01', '2100-02-28'],
    ['monthly', '2026-12-31', '2026-12-01', '2026-12-31'],
    ['monthly', '2026-01-31', '2026-01-01', '2026-01-31'],
    ['monthly', '0004-02-01', '0004-02-01', '0004-02-29'],
  ] as const)('%s of %s', (frequency, day, firstDay, lastDay) => {
    expect(periodOf(frequency, day)).toEqual({ frequency, firstDay, lastDay });
  });

  it('gives every day of a period the same one', () => {
    fc.assert(
      fc.property(periods, fc.nat(30), (period, after) => {
        const day = addDays(period.firstDay, after);
        expect(day <= period.lastDay).toBe(periodOf(period.frequency, day).firstDay === period.firstDay);
      }),
    );
  });
});

describe('periodsEnding', () => {
  it('names those whose last day lies between the days', () => {
    const weeks = [
      { frequency: 'weekly', firstDay: '2026-11-16', lastDay: '2026-11-22' },
      { frequency: 'weekly', firstDay: '2026-11-23', lastDay: '2026-11-29' },
    ];
    expect(periodsEnding('weekly', '2026-11-18', '2026-12-05')).toEqual(weeks);
    expect(periodsEnding('weekly', '2026-11-22', '2026-11-29')).toEqual(weeks);
    expect(periodsEnding('weekly', '2026-11-23', '2026-11-28')).toEqual([]);
    expect(periodsEnding('daily', '2026-11-23', '2026-11-22')).toEqual([]);
    expect(periodsEnding('monthly', '2024-01-31', '2024-02-29').map(({ lastDay }) => lastDay)).toEqual([
      '2024-01-31',
      '2024-02-29',
    ]);
  });

  it('leaves nothing out and names nothing twice', () => {
    const span = fc.tuple(fc.constantFrom(...FREQUENCIES), fc.integer({ min: 10_000, max: 30_000 }), fc.nat(200));
    fc.assert(
      fc.property(span, ([frequency, first, length]) => {
        const [from, to] = [dayOf(first * 24), dayOf((first + length) * 24)];
        const each = Array.from({ length: length + 1 }, (_, n) => addDays(from, n));
        const expected = each.filter((day) => periodOf(frequency, day).lastDay === day);
        expect(periodsEnding(frequency, from, to).map(({ lastDay }) => lastDay)).toEqual(expected);
      }),
    );
  });
});

describe('when a report is made and promised', () => {
  it('is the morning after its period', () => {
    expect(madeAt({ lastDay: '2024-02-28' })).toEqual(new Date('2024-02-29T07:30:00Z'));
    expect(promisedAt({ lastDay: '2026-12-31' })).toEqual(new Date('2027-01-01T08:00:00Z'));
    expect(madeAt({ lastDay: '9999-12-31' }).getTime()).not.toBeNaN();
  });

  const closed = firstHourOf('2026-11-23');
  it.each([
    ['the day before, at half past seven', '2026-11-23T07:30:00Z', closed, '2026-11-22'],
    ['not before', '2026-11-23T07:29:59.999Z', closed, '2026-11-21'],
    ['not while its last hour is open', '2026-11-23T12:00:00Z', closed - 1, '2026-11-21'],
    ['not before, however much is closed', '2026-11-23T07:00:00Z', closed + 7, '2026-11-21'],
    ['what is closed, after days without it', '2026-11-23T09:00:00Z', closed - 100, '2026-11-17'],
  ])('%s', (_, now, nextHour, day) => {
    expect(lastDayMade(new Date(now), nextHour)).toBe(day);
  });

  it.each([
    ['2026-11-23T08:00:00Z', '2026-11-22'],
    ['2026-11-23T07:59:59.999Z', '2026-11-21'],
    ['2026-11-23T23:59:59Z', '2026-11-22'],
  ])('at %s what ends on %s is promised', (now, day) => {
    expect(lastDayPromised(new Date(now))).toBe(day);
  });

  it('agree with each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (time) => {
        const now = new Date(time);
        const made = lastDayMade(now, firstHourOf('2200-01-01'));
        expect(madeAt({ lastDay: made }) <= now && now < madeAt({ lastDay: addDays(made, 1) })).toBe(true);
        const promised = lastDayPromised(now);
        expect(promisedAt({ lastDay: promised }) <= now && now < promisedAt({ lastDay: addDays(promised, 1) })).toBe(
          true,
        );
      }),
    );
  });
});
