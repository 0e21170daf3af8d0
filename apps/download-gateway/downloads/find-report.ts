import { parseReportPrefix, PREFIX_FORMS, promisedAt, type ReportName } from '@delivery/analytics/domain';
import { DownloadReadModel, type Grant, type ReportShard } from '@delivery/analytics/store';
import { ApiException, badRequest, forbidden, notFound, type Principal, unauthorized } from '@delivery/platform/auth';
import type { Sql } from '@delivery/platform/postgres';

/** A report that is promised and late: somebody works on it. */
const LATE_SECONDS = 300;
/** Nobody should wait for weeks in one request's answer. */
const MAX_RETRY_SECONDS = 86_400;

const downloads = new DownloadReadModel();

/**
 * The files of a report, for a key that may have it (contracts.md U-3 to U-5).
 * @throws ApiException 400 malformed; 403 not this key's; 404 with `available_at` while it is not published, else 404;
 * 410 removed by retention
 */
export async function findReport(
  sql: Sql,
  { organizationId, keyId }: Principal,
  analyticsId: string,
  prefix: string,
): Promise<readonly ReportShard[]> {
  const name = parseReportPrefix(prefix);
  if (name === undefined) throw badRequest(`There is no report of this name: reports are named ${PREFIX_FORMS}.`);
  const grant = await downloads.grant(sql, organizationId, keyId, prefix);
  if (grant === undefined) throw unauthorized('The API key is not valid.');
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

function absent(grant: Grant, name: ReportName): ApiException {
  if (grant.report === undefined && name.lastDay < grant.reportsFrom) {
    return notFound(`There is no report of this period: the first are of ${grant.reportsFrom}.`);
  }
  const promised = promisedAt(name).getTime();
  const now = grant.now.getTime();
  const availableAt = new Date(Math.max(promised, now + LATE_SECONDS * 1000));
  const late = promised <= now;
  const seconds = late ? LATE_SECONDS : Math.ceil((promised - now) / 1000);
  const when = availableAt.toISOString();
  return new ApiException(
    404,
    late ? `This report is late and is being made: try again at ${when}.` : `This report is available from ${when} on.`,
    { retryAfterSeconds: Math.min(seconds, MAX_RETRY_SECONDS), more: { available_at: when } },
  );
}
