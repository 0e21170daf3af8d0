import fc from 'fast-check';
import { addDays, dayOf } from './hours';
import { missingPeriods } from './missing-periods';
import { FREQUENCIES, periodsEnding } from './report-period';

describe('missingPeriods', () => {
  const lastDays = (...[wanted, to]: Parameters<typeof missingPeriods>) =>
    missingPeriods(wanted, to).map(({ lastDay }) => lastDay);

  it('is everything wanted when nothing is planned', () => {
    const wanted = { frequency: 'daily', reportsFrom: '2026-02-27', planned: undefined } as const;
    expect(lastDays(wanted, '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
    expect(lastDays(wanted, '2026-02-26')).toEqual([]);
    expect(lastDays(wanted, '')).toEqual([]);
  });

  it('is what came since, all that was missed', () => {
    const wanted = { reportsFrom: '2026-01-01', planned: { first: '2026-01-01', last: '2026-01-31' } };
    expect(lastDays({ ...wanted, frequency: 'daily' }, '2026-01-31')).toEqual([]);
    expect(lastDays({ ...wanted, frequency: 'daily' }, '2026-02-02')).toEqual(['2026-02-01', '2026-02-02']);
    const months = { ...wanted, frequency: 'monthly', planned: { first: '2026-01-31', last: '2026-01-31' } } as const;
    expect(lastDays(months, '2026-04-29')).toEqual(['2026-02-28', '2026-03-31']);
  });

  it('is also what is wanted from earlier on, the newest first', () => {
    const planned = { first: '2026-01-04', last: '2026-01-05' };
    const wanted = { frequency: 'daily', reportsFrom: '2026-01-02', planned } as const;
    expect(lastDays(wanted, '2026-01-06')).toEqual(['2026-01-06', '2026-01-03', '2026-01-02']);
  });

  it('is nothing while the days that were planned are not over, as after a restore', () => {
    const planned = { first: '2026-01-04', last: '2026-01-05' };
    const wanted = { frequency: 'daily', reportsFrom: '2026-01-01', planned } as const;
    expect(lastDays(wanted, '2026-01-02')).toEqual([]);
    expect(lastDays(wanted, '')).toEqual([]);
  });

  it('leaves no gap, wherever planning stops and whatever is wanted next', () => {
    const steps = fc.array(fc.record({ from: fc.nat(100), days: fc.nat(40), taken: fc.nat(50) }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.constantFrom(...FREQUENCIES), steps, (frequency, calls) => {
        const planned = new Set<string>();
        let to = 20_000;
        for (const { from, days, taken } of calls) {
          to += days;
          const known = [...planned].sort();
          const [first, last] = [known[0], known.at(-1)];
          const reportsFrom = dayOf((20_000 - 50 + from) * 24);
          const range = first === undefined || last === undefined ? undefined : { first, last };
          const missing = missingPeriods({ frequency, reportsFrom, planned: range }, dayOf(to * 24));
          for (const { lastDay } of missing.slice(0, taken)) {
            expect(planned.has(lastDay)).toBe(false);
            planned.add(lastDay);
          }
          const now = [...planned].sort();
          if (now.length === 0) continue;
          const all = periodsEnding(frequency, now[0] ?? '', addDays(now.at(-1) ?? '', 0));
          expect(now).toEqual(all.map(({ lastDay }) => lastDay));
        }
      }),
    );
  });
});
