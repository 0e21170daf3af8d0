import { consentLog } from '../../sources/consent-log';
import type { Content, ContentRequest } from '../content';
import { inMonths, keyRanges, surveyRevisions } from '../revisions';

/** Event revisions recorded in the window, each a line by itself, in the order of the log: partition by partition. */
export const consentEvents: Content = {
  name: 'consent-events',
  schemaVersion: 1,
  grouped: false,
  source: consentLog,
  linesSql,
  surveySql: surveyRevisions,
};

/**
 * The same events as `consent-users` has: confirmed ones under the GDPR, and not those of guests unless they are wanted.
 * As a line says nothing of its user's state, an event is a guest's if its user was one when it was recorded.
 *
 * A query for each range of the primary key, which is read in its own order. As one query, Postgres would sort it.
 */
function linesSql({ organizationId, ranges, includeGuests, months }: ContentRequest): string[] {
  return ranges
    .flatMap((range) => keyRanges(organizationId, range))
    .map(
      (rows) => `
        SELECT event_document FROM consent_event_revision
        WHERE ${rows} AND ${inMonths('month', months)} AND regulation = 'gdpr' AND user_version IS NOT NULL
          ${includeGuests ? '' : 'AND NOT guest'}
        ORDER BY epoch, log_offset`,
    );
}
