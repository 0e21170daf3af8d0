import type { AnalyticsKey } from '@delivery/analytics/domain';
import { AnalyticsKeyStore } from '@delivery/analytics/store';
import {
  AnalyticsKeyPage,
  AnalyticsKeyResponse,
  CreateAnalyticsKeyRequest,
  CreatedAnalyticsKeyResponse,
  UpdateAnalyticsKeyRequest,
} from '@delivery/integrations/schema';
import {
  ApiErrors,
  type ApiException,
  CurrentPrincipal,
  generateApiKey,
  hashSecret,
  notFound,
  type Principal,
  requireOrganization,
} from '@delivery/platform/auth';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type ListRules, parseListQuery, type Query as QueryValues, toEnvelope } from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { AnalyticsIds } from './analytics-ids';

/** Always oldest first: an analytics id has twenty at most. */
const LIST: ListRules<never> = { sortable: {}, filters: [], defaultSort: [] };

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Keys that open the reports of one analytics id, and nothing else (contracts.md §2.1). */
@ContractController('Analytics')
@Controller('v1/analytics/ids/:id/keys')
export class AnalyticsKeysController {
  constructor(
    private readonly ids: AnalyticsIds,
    private readonly keys: AnalyticsKeyStore,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Create a key for downloads',
    description: 'It opens reports of this analytics id, and nothing else. Shown this once. An id may have 20.',
  })
  @ApiOrganizationQuery()
  @ApiCreatedResponse({ type: CreatedAnalyticsKeyResponse })
  @ApiErrors(403, 404)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') given: string,
    @Body() request: CreateAnalyticsKeyRequest,
  ): Promise<CreatedAnalyticsKeyResponse> {
    const { organizationId, id: analyticsId } = await this.ids.find(
      requireOrganization(principal, query, request),
      given,
    );
    const { id, secret, combined } = generateApiKey();
    const { name, frequencies, aggregations } = request;
    const row = { organizationId, id, analyticsId, name, frequencies, aggregations };
    const key = await this.ids.createKey(row, hashSecret(secret));
    return { ...toResponse(key), api_key: combined };
  }

  @Get()
  @ApiOperation({ summary: 'List the keys of an analytics id', description: 'Oldest first.' })
  @ApiListQuery([])
  @ApiOkResponse({ type: AnalyticsKeyPage })
  @ApiErrors(403, 404)
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') given: string,
  ): Promise<AnalyticsKeyPage> {
    const { organizationId, id } = await this.ids.find(requireOrganization(principal, query), given);
    const page = parseListQuery(query, LIST);
    const all = await this.keys.list(organizationId, id);
    const data = all.slice(page.skip, page.skip + page.limit);
    return toEnvelope({ data, total: all.length }, page, toResponse);
  }

  @Patch(':key')
  @ApiOperation({
    summary: 'Disable or enable a key',
    description: 'Links that it has got live on for their 15 minutes.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: AnalyticsKeyResponse })
  @ApiErrors(403, 404)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param() { id: given, key }: { id: string; key: string },
    @Body() request: UpdateAnalyticsKeyRequest,
  ): Promise<AnalyticsKeyResponse> {
    const { organizationId, id } = await this.ids.find(requireOrganization(principal, query, request), given);
    const changed = await this.keys.setEnabled(organizationId, id, keyId(key), request.enabled);
    if (changed === undefined) throw noSuchKey();
    return toResponse(changed);
  }

  @Delete(':key')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a key', description: 'The access log keeps its id.' })
  @ApiOrganizationQuery()
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiErrors(403, 404)
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param() { id: given, key }: { id: string; key: string },
  ): Promise<void> {
    const { organizationId, id } = await this.ids.find(requireOrganization(principal, query), given);
    if ((await this.keys.remove(organizationId, id, keyId(key))) === 'absent') throw noSuchKey();
  }
}

/** Odd bytes in a path do not reach the database. */
function keyId(id: string): string {
  if (!KEY_ID.test(id)) throw noSuchKey();
  return id;
}

function noSuchKey(): ApiException {
  return notFound('This analytics id has no key with this id.');
}

function toResponse(key: AnalyticsKey): AnalyticsKeyResponse {
  return {
    id: key.id,
    organization_id: key.organizationId,
    analytics_id: key.analyticsId,
    name: key.name,
    frequencies: key.frequencies ?? null,
    aggregations: key.aggregations ?? null,
    enabled: key.enabled,
    created_at: key.createdAt.toISOString(),
  };
}
