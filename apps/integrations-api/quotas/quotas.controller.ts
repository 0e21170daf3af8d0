import { QuotaPage } from '@delivery/integrations/schema';
import { OrganizationStore } from '@delivery/integrations/store';
import { ApiErrors, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { parseListQuery, type Query as QueryValues, toEnvelope } from '../contract/list-query';
import { ApiListQuery, ContractController } from '../contract/open-api';
import { EnabledQuota } from './enabled-quota';

/** The contract's own figures, for what this version does not limit by configuration (contracts.md §1.2). */
const EXPORTS_DESTINATIONS = 2;
const CONSENT_PROOF_REPORTS = 10;

/** What an organization may have. */
@ContractController('Quotas')
@Controller('v1/quotas')
export class QuotasController {
  constructor(
    private readonly organizations: OrganizationStore,
    private readonly quota: EnabledQuota,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Read the quotas of your organization' })
  @ApiListQuery([])
  @ApiOkResponse({ type: QuotaPage })
  @ApiErrors(403)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<QuotaPage> {
    const organizationId = requireOrganization(principal, query);
    const page = parseListQuery(query, { sortable: {}, filters: [], defaultSort: [] });
    const organization = await this.organizations.byId(organizationId);
    const all = organization === undefined ? [] : [organization];
    const shown = all.slice(page.skip, page.skip + page.limit);
    return toEnvelope({ data: shown, total: all.length }, page, ({ createdAt, updatedAt }) => ({
      id: organizationId,
      organization_id: organizationId,
      exports_configs: this.quota.limit,
      exports_destinations: EXPORTS_DESTINATIONS,
      consent_proof_reports: CONSENT_PROOF_REPORTS,
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
      version: 1,
    }));
  }
}
