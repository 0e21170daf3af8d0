import { ExecuteExportRequest, RunResponse } from '@delivery/integrations/schema';
import { IntegrationStore } from '@delivery/integrations/store';
import { ApiErrors, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { Query as QueryValues } from '../contract/list-query';
import { ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { noSuchIntegration } from '../integrations/change-integration';
import { RunRequests } from './run-requests';
import { toRunResponse } from './run-response';

/** Runs on request (contracts.md §1.2, §1.3). */
@ContractController('Exports')
@Controller('v1/exports/execute')
export class ExecuteController {
  constructor(
    private readonly integrations: IntegrationStore,
    private readonly requests: RunRequests,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Run an export now',
    description:
      'Delivers the next window early: what was recorded since the last run was planned. The schedule stays as it is. ' +
      'A disabled integration, or one with 10 runs waiting, is answered 409.',
  })
  @ApiOrganizationQuery()
  @ApiResponse({ status: 202, description: 'Planned.', type: RunResponse })
  @ApiErrors(403, 404, 409)
  async execute(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Body() request: ExecuteExportRequest,
  ): Promise<RunResponse> {
    const organizationId = requireOrganization(principal, query, request);
    const integration = await this.integrations.byId(organizationId, request.export_id);
    if (integration === undefined) throw noSuchIntegration();
    return toRunResponse(await this.requests.execute(integration));
  }
}
