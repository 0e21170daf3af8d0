import { ANALYTICS_ID, reportsFromFault, SETTINGS_ID } from './analytics-id';

describe('reportsFromFault', () => {
  const today = '2026-03-01';

  it.each(['2026-03-01', '2023-12-22', '2027-03-02'])('has nothing against %s', (day) => {
    expect(reportsFromFault(day, today)).toBeUndefined();
  });

  it.each(['2023-12-21', '2027-03-03'])('says between which days %s had to be', (day) => {
    expect(reportsFromFault(day, today)).toBe('must be a day from 2023-12-22 to 2027-03-02');
  });

  it.each(['2026-02-30', '2026-2-3', '+002026-01-01', 'today', ''])('refuses "%s", which is no day', (day) => {
    expect(reportsFromFault(day, today)).toContain('exists');
  });
});

describe('names', () => {
  it.each(['analyticsID', 'a1b2c3d4e5', 'web_shops-eu'])('may be %s', (id) => {
    expect(ANALYTICS_ID.test(id)).toBe(true);
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'a.b', 'ä', 'a\n', 'x'.repeat(65)])('of analytics ids may not be "%s"', (id) =>
    expect(ANALYTICS_ID.test(id)).toBe(false),
  );

  it.each(['', 'a/b', '=1+1', 'a,b', 'x'.repeat(65)])('of settings may not be "%s"', (id) => {
    expect(SETTINGS_ID.test(id)).toBe(false);
  });
});
