import type { Integration } from '@delivery/integrations/domain';
import { EXPORT_LOG_STATUSES, RunPage, RunResponse } from '@delivery/integrations/schema';
import { IntegrationStore } from '@delivery/integrations/store';
import { ApiErrors, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import type { Query as QueryValues } from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { noSuchIntegration } from '../integrations/change-integration';
import { RunList } from './run-list';
import { RunRequests } from './run-requests';
import { toRunResponse } from './run-response';

/** The runs of one integration. */
@ContractController('Exports')
@Controller('v1/marketplace/integrations/:id/runs')
export class RunsController {
  constructor(
    private readonly integrations: IntegrationStore,
    private readonly list: RunList,
    private readonly requests: RunRequests,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the runs of an integration', description: 'Newest first, with progress.' })
  @ApiQuery({ name: 'status', required: false, enum: EXPORT_LOG_STATUSES })
  @ApiListQuery([])
  @ApiOkResponse({ type: RunPage })
  @ApiErrors(403, 404)
  async all(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<RunPage> {
    const integration = await this.integration(principal, query, id);
    return this.list.page(integration.organizationId, integration.id, query);
  }

  @Get(':run')
  @ApiOperation({ summary: 'Read a run, with its progress' })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: RunResponse })
  @ApiErrors(403, 404)
  async one(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Param('run') run: string,
  ): Promise<RunResponse> {
    return toRunResponse(await this.requests.find(await this.integration(principal, query, id), run));
  }

  @Post(':run/retry')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Repeat a failed run',
    description: 'Over the window it had, with the destination and credentials that the integration has now.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: RunResponse })
  @ApiErrors(403, 404, 409)
  async retry(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Param('run') run: string,
  ): Promise<RunResponse> {
    return toRunResponse(await this.requests.retry(await this.integration(principal, query, id), run));
  }

  @Post(':run/cancel')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel a run',
    description: 'It is not delivered, and later manifests name it as missing until it is repeated.',
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: RunResponse })
  @ApiErrors(403, 404, 409)
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Param('run') run: string,
  ): Promise<RunResponse> {
    return toRunResponse(await this.requests.cancel(await this.integration(principal, query, id), run));
  }

  private async integration(principal: Principal, query: QueryValues, id: string): Promise<Integration> {
    const integration = await this.integrations.byId(requireOrganization(principal, query), id);
    if (integration === undefined) throw noSuchIntegration();
    return integration;
  }
}
