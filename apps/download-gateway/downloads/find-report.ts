import { parseReportPrefix, PREFIX_FORMS, promisedAt, type ReportName } from '@delivery/analytics/domain';
import { DownloadReadModel, type Grant, type ReportShard } from '@delivery/analytics/store';
import { ApiException, badRequest, forbidden, notFound, type Principal, unauthorized } from '@delivery/platform/auth';
import type { Sql } from '@delivery/platform/postgres';

/** What making a report takes, after it could begin; one that takes longer is late, and somebody works on it. */
const MAKING_SECONDS = 300;
const SOON_SECONDS = 60;
/** Nobody should wait for weeks in one request's answer. */
const MAX_RETRY_SECONDS = 86_400;

export const NO_REPORT = `There is no report of this name: reports are named ${PREFIX_FORMS}.`;

const downloads = new DownloadReadModel();

/**
 * The files of a report, for a key that may have it (contracts.md U-3 to U-5).
 * @throws ApiException 400 malformed; 403 not this key's; 404 with `available_at` while it is not published, else 404;
 * 410 removed by retention; `keyIsGone` when the key was removed or disabled
 */
export async function findReport(
  sql: Sql,
  { organizationId, keyId }: Principal,
  analyticsId: string,
  prefix: string,
  keyIsGone = () => unauthorized('The API key is not valid.'),
): Promise<readonly ReportShard[]> {
  const name = parseReportPrefix(prefix);
  if (name === undefined) throw badRequest(NO_REPORT);
  const grant = await downloads.grant(sql, organizationId, keyId, prefix);
  if (grant === undefined) throw keyIsGone();
  assertGranted(grant, analyticsId, name);
  switch (grant.report?.status) {
    case 'published':
      return grant.report.shards;
    case 'removed':
      throw new ApiException(410, 'This report was removed: it is older than reports are kept.');
    case 'pending':
    case 'running':
    case undefined:
      throw absent(grant, name);
  }
}

/** The same words whether the analytics id exists or not (contracts.md U-4). */
function assertGranted(grant: Grant, analyticsId: string, { frequency, aggregation }: ReportName): void {
  if (analyticsId !== grant.analyticsId) throw forbidden('This API key does not open this analytics id.');
  if (!grant.enabled) throw forbidden('This analytics id is disabled.');
  if (!grant.aggregations.includes(aggregation)) {
    throw forbidden(`This API key does not open ${aggregation} reports: ${grant.aggregations.join(', ') || 'none'}.`);
  }
  if (!grant.frequencies.includes(frequency)) {
    throw forbidden(`This API key does not open ${frequency} reports: ${grant.frequencies.join(', ') || 'none'}.`);
  }
}

/** Whether a report that is not there was never promised, or when it will be. Exported for its tests. */
export function absent(grant: Grant, name: ReportName): ApiException {
  if (grant.report === undefined && name.lastDay < grant.reportsFrom) {
    return notFound(`There is no report of this period: the first are of ${grant.reportsFrom}.`);
  }
  const promised = promisedAt(name).getTime();
  const now = grant.now.getTime();
  if (now < promised) {
    const when = new Date(promised).toISOString();
    return comesAt(when, (promised - now) / 1000, `This report is available from ${when} on.`);
  }
  const late = now > Math.max(promised, grant.wantedSince.getTime()) + MAKING_SECONDS * 1000;
  const seconds = late ? MAKING_SECONDS : SOON_SECONDS;
  const when = new Date(now + seconds * 1000).toISOString();
  return comesAt(when, seconds, `This report is ${late ? 'late and is ' : ''}being made: try again at ${when}.`);
}

function comesAt(when: string, seconds: number, message: string): ApiException {
  return new ApiException(404, message, {
    retryAfterSeconds: Math.min(Math.ceil(seconds), MAX_RETRY_SECONDS),
    more: { available_at: when },
  });
}
