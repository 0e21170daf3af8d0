import { parseReportPrefix } from '@delivery/analytics/domain';
import type { Grant } from '@delivery/analytics/store';
import { absent } from './find-report';

const name = parseReportPrefix('interaction-2026-02-03');

/** What a request for a report that is not there is answered at some moment. */
function answerAt(now: string, wantedSince = '2026-01-01T00:00:00Z') {
  const grant: Grant = {
    analyticsId: 'mine',
    enabled: true,
    frequencies: ['daily'],
    aggregations: ['interaction'],
    reportsFrom: '2026-01-01',
    now: new Date(now),
    wantedSince: new Date(wantedSince),
    report: undefined,
  };
  if (name === undefined) throw new TypeError('no name of a report');
  const { message, retryAfterSeconds: seconds, more } = absent(grant, name);
  return { message, seconds, at: more['available_at'] };
}

const promised = '2026-02-04T08:00:00.000Z';

it.each([
  ['2026-02-03T12:00:00Z', 20 * 3600],
  ['2026-02-04T07:56:00Z', 240],
  ['2026-02-04T07:59:59.600Z', 1],
])('a report is promised for 08:00, at %s too', (now, seconds) => {
  expect(answerAt(now)).toEqual({
    message: `This report is available from ${promised} on.`,
    seconds,
    at: promised,
  });
});

it('nobody is sent away for longer than a day', () => {
  expect(answerAt('2026-01-10T00:00:00Z')).toMatchObject({ seconds: 86_400, at: promised });
});

it('a report that is just due is being made, and late after five minutes', () => {
  expect(answerAt('2026-02-04T08:02:00Z')).toEqual({
    message: 'This report is being made: try again at 2026-02-04T08:03:00.000Z.',
    seconds: 60,
    at: '2026-02-04T08:03:00.000Z',
  });
  expect(answerAt('2026-02-04T08:06:00Z')).toMatchObject({
    message: 'This report is late and is being made: try again at 2026-02-04T08:11:00.000Z.',
    seconds: 300,
  });
});

it('a report of a period that was over before anybody wanted it is not late at once', () => {
  const since = '2026-05-05T10:00:00Z';
  expect(answerAt('2026-05-05T10:01:00Z', since)).toMatchObject({ seconds: 60 });
  expect(answerAt('2026-05-05T10:06:00Z', since)).toMatchObject({ seconds: 300 });
});
