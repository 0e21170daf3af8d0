import { OrganizationResponse } from '@delivery/integrations/schema';
import { OrganizationStore } from '@delivery/integrations/store';
import { ApiErrors, CurrentPrincipal, notFound, type Principal } from '@delivery/platform/auth';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ContractController } from '../contract/open-api';

/** Organizations are made and changed by the operator (`npm run admin -- organization`); clients read their own. */
@ContractController('Organizations')
@Controller('v1/organizations')
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationStore) {}

  @Get(':id')
  @ApiOperation({ summary: 'Read your organization' })
  @ApiOkResponse({ type: OrganizationResponse })
  @ApiErrors(404)
  async read(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<OrganizationResponse> {
    const organization = id === principal.organizationId ? await this.organizations.byId(id) : undefined;
    if (organization === undefined) throw notFound('There is no organization with this id for your API key.');
    return {
      id: organization.organizationId,
      name: organization.name,
      exports_guests: organization.exportsGuests,
      created_at: organization.createdAt.toISOString(),
      updated_at: organization.updatedAt.toISOString(),
    };
  }
}
