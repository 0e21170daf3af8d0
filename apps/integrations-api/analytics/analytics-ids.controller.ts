import type { AnalyticsId } from '@delivery/analytics/domain';
import { AnalyticsIdStore } from '@delivery/analytics/store';
import {
  AnalyticsIdPage,
  AnalyticsIdResponse,
  CreateAnalyticsIdRequest,
  UpdateAnalyticsIdRequest,
} from '@delivery/integrations/schema';
import { ApiErrors, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type ListRules, parseListQuery, type Query as QueryValues, toEnvelope } from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { AnalyticsIds, noSuchAnalyticsId } from './analytics-ids';

/** Always oldest first: an organization has a hundred at most. */
const LIST: ListRules<never> = { sortable: {}, filters: [], defaultSort: [] };

/** What reports are made of, and how often (contracts.md §2.1). They are disabled, never deleted: reports name them. */
@ContractController('Analytics')
@Controller('v1/analytics/ids')
export class AnalyticsIdsController {
  constructor(
    private readonly database: Database,
    private readonly store: AnalyticsIdStore,
    private readonly ids: AnalyticsIds,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Create an analytics id',
    description:
      'A group of settings ids whose reports are made and downloaded together. Reports of a day, week or month are made ' +
      'at 07:30 UTC of the next day. An organization may have 100.',
  })
  @ApiOrganizationQuery()
  @ApiCreatedResponse({ type: AnalyticsIdResponse })
  @ApiErrors(403, 409)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Body() request: CreateAnalyticsIdRequest,
  ): Promise<AnalyticsIdResponse> {
    return toResponse(await this.ids.create(requireOrganization(principal, query, request), request));
  }

  @Get()
  @ApiOperation({ summary: 'List analytics ids', description: 'Oldest first.' })
  @ApiListQuery([])
  @ApiOkResponse({ type: AnalyticsIdPage })
  @ApiErrors(403)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<AnalyticsIdPage> {
    const organizationId = requireOrganization(principal, query);
    const page = parseListQuery(query, LIST);
    const all = await this.store.list(this.database, organizationId);
    const data = all.slice(page.skip, page.skip + page.limit);
    return toEnvelope({ data, total: all.length }, page, toResponse);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an analytics id' })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: AnalyticsIdResponse })
  @ApiErrors(403, 404)
  async read(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<AnalyticsIdResponse> {
    return toResponse(await this.ids.find(requireOrganization(principal, query), id));
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change an analytics id',
    description: 'Counts for reports that are planned from now on; those that are there stay as they are.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: AnalyticsIdResponse })
  @ApiErrors(403, 404)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') given: string,
    @Body() request: UpdateAnalyticsIdRequest,
  ): Promise<AnalyticsIdResponse> {
    const { organizationId, id } = await this.ids.find(requireOrganization(principal, query, request), given);
    const { organization_id: _, settings_ids: settingsIds, ...changes } = request;
    const named = { ...changes, ...(settingsIds && { settingsIds }) };
    const changed = await this.store.update(this.database, organizationId, id, named);
    if (changed === undefined) throw noSuchAnalyticsId();
    return toResponse(changed);
  }
}

function toResponse(id: AnalyticsId): AnalyticsIdResponse {
  return {
    id: id.id,
    organization_id: id.organizationId,
    name: id.name,
    settings_ids: id.settingsIds,
    frequencies: id.frequencies,
    aggregations: id.aggregations,
    reports_from: id.reportsFrom,
    enabled: id.enabled,
    created_at: id.createdAt.toISOString(),
  };
}
