import { EXPORT_LOG_STATUSES, RunPage } from '@delivery/integrations/schema';
import { IntegrationStore } from '@delivery/integrations/store';
import { ApiErrors, badRequest, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import type { Query as QueryValues } from '../contract/list-query';
import { ApiListQuery, ContractController } from '../contract/open-api';
import { noSuchIntegration } from '../integrations/change-integration';
import { RunList } from './run-list';

/** The log of exports; the contract's own URL has no `/v1` (contracts.md §1.8, D-8). */
@ContractController('Exports')
@Controller(['v1/marketplace/exports/logs', 'marketplace/exports/logs'])
export class LogsController {
  constructor(
    private readonly integrations: IntegrationStore,
    private readonly list: RunList,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Read the log of exports',
    description:
      'Newest first; also of integrations that were deleted. pending: planned, running, or tried again later. failed: ' +
      'result says what to change; then repeat the run.',
  })
  @ApiQuery({ name: 'export_id', required: false, example: '58g9gnu3b5', description: 'All, if not given.' })
  @ApiQuery({ name: 'status', required: false, enum: EXPORT_LOG_STATUSES })
  @ApiListQuery([])
  @ApiOkResponse({ type: RunPage })
  @ApiErrors(403, 404)
  async logs(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<RunPage> {
    const organizationId = requireOrganization(principal, query);
    const { export_id: exportId } = query;
    if (exportId === undefined) return this.list.page(organizationId, undefined, query);
    if (typeof exportId !== 'string') {
      throw badRequest('export_id must be given once.', [{ field: 'export_id', message: 'must be given once' }]);
    }
    if (!(await this.integrations.wasEver(organizationId, exportId))) throw noSuchIntegration();
    return this.list.page(organizationId, exportId, query);
  }
}
