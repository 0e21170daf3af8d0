import { AGGREGATIONS, FREQUENCIES } from '@delivery/analytics/domain';
import { type DownloadAccess, DownloadAccessStore, type Report, ReportStore } from '@delivery/analytics/store';
import { DownloadPage, DownloadResponse, ReportPage, ReportResponse } from '@delivery/integrations/schema';
import { ApiErrors, badRequest, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import { type ListRules, parseListQuery, type Query as QueryValues, toEnvelope } from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { AnalyticsIds } from './analytics-ids';

const FILTERS = { analytics_id: 'analytics_id', aggregation: 'aggregation', frequency: 'frequency' } as const;

/** Always the newest period first. */
const REPORTS: ListRules<never> = { sortable: {}, filters: Object.values(FILTERS), defaultSort: [] };
/** Always newest first. */
const DOWNLOADS: ListRules<never> = { sortable: {}, filters: [], others: ['$cursor'], defaultSort: [] };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What became of reports, and who downloaded them. */
@ContractController('Analytics')
@Controller('v1/analytics')
export class AnalyticsReportsController {
  constructor(
    private readonly database: Database,
    private readonly ids: AnalyticsIds,
    private readonly store: ReportStore,
    private readonly accesses: DownloadAccessStore,
  ) {}

  @Get('reports')
  @ApiOperation({ summary: 'List reports', description: 'The newest period first, with their state.' })
  @ApiQuery({ name: FILTERS.analytics_id, required: false, example: '58g9gnu3b5', description: 'All, if not given.' })
  @ApiQuery({ name: FILTERS.aggregation, required: false, enum: AGGREGATIONS })
  @ApiQuery({ name: FILTERS.frequency, required: false, enum: FREQUENCIES })
  @ApiListQuery([])
  @ApiOkResponse({ type: ReportPage })
  @ApiErrors(403, 404)
  async reports(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<ReportPage> {
    const organizationId = requireOrganization(principal, query);
    const page = parseListQuery(query, REPORTS);
    const analyticsId = one(FILTERS.analytics_id, page.filters);
    if (analyticsId !== undefined) await this.ids.find(organizationId, analyticsId);
    const found = await this.store.page(this.database, {
      organizationId,
      analyticsId,
      aggregation: oneOf(AGGREGATIONS, FILTERS.aggregation, page.filters),
      frequency: oneOf(FREQUENCIES, FILTERS.frequency, page.filters),
      limit: page.limit,
      skip: page.skip,
    });
    return toEnvelope(found, page, toReportResponse);
  }

  @Get('downloads')
  @ApiOperation({
    summary: 'Read the access log of downloads',
    description: 'Every request with a key of yours and every download of a file, newest first, however it ended.',
  })
  @ApiOrganizationQuery()
  @ApiQuery({ name: '$limit', required: false, schema: { type: 'integer', default: 100, minimum: 1, maximum: 100 } })
  @ApiQuery({ name: '$cursor', required: false, description: '`cursor` of the page before.', type: String })
  @ApiOkResponse({ type: DownloadPage })
  @ApiErrors(403)
  async downloads(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<DownloadPage> {
    const organizationId = requireOrganization(principal, query);
    const { limit, skip } = parseListQuery(query, DOWNLOADS);
    if (skip !== 0) throw refused('$skip', 'is not for this list, which grows: give $cursor');
    if (limit === 0) throw refused('$limit', 'must be at least 1: an empty page has no cursor');
    const { $cursor: before } = query;
    if (before !== undefined && !(typeof before === 'string' && UUID.test(before))) {
      throw refused('$cursor', 'must be the cursor of the page before');
    }
    // One more than asked for tells whether there is another page.
    const found = await this.accesses.page(this.database, { organizationId, limit: limit + 1, before });
    const shown = found.slice(0, limit);
    return {
      data: shown.map(toDownloadResponse),
      limit,
      cursor: found.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }
}

type Filters = Readonly<Record<string, readonly string[] | undefined>>;

/** @throws 400 for several */
function one(name: string, filters: Filters): string | undefined {
  const values = filters[name];
  if (values !== undefined && values.length !== 1) throw refused(name, 'must be given once');
  return values?.[0];
}

/** @throws 400 */
function oneOf<T extends string>(all: readonly T[], name: string, filters: Filters): T | undefined {
  const given = one(name, filters);
  const found = all.find((each) => each === given);
  if (given !== undefined && found === undefined) throw refused(name, `must be one of ${all.join(', ')}`);
  return found;
}

function refused(field: string, message: string) {
  return badRequest(`${field} ${message}.`, [{ field, message }]);
}

function toReportResponse(report: Report): ReportResponse {
  return {
    analytics_id: report.analyticsId,
    organization_id: report.organizationId,
    file_prefix: report.prefix,
    aggregation: report.aggregation,
    frequency: report.frequency,
    first_day: report.firstDay,
    last_day: report.lastDay,
    settings_ids: report.settingsIds,
    // Why an attempt failed is of the operator's store, and nothing that the organization could change.
    state: report.status,
    files: report.shards.length,
    rows: report.rows,
    bytes: report.bytes,
    attempt: report.attempt,
    planned_at: report.plannedAt.toISOString(),
    next_retry_at: report.retryAt?.toISOString() ?? null,
    published_at: report.publishedAt?.toISOString() ?? null,
    removed_at: report.removedAt?.toISOString() ?? null,
  };
}

function toDownloadResponse(access: DownloadAccess): DownloadResponse {
  return {
    id: access.id,
    at: access.at.toISOString(),
    kind: access.kind,
    key_id: access.keyId ?? null,
    analytics_id: access.analyticsId,
    file: access.file,
    status: access.status,
    bytes: access.bytes ?? null,
    times: access.times,
    address: access.address ?? null,
    user_agent: access.userAgent ?? null,
  };
}
