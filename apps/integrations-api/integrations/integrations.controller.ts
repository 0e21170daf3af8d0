import { INTEGRATION_TYPE_IDS } from '@delivery/integrations/domain';
import {
  CREATE_GCS_EXAMPLE,
  CREATE_S3_EXAMPLE,
  CreateIntegrationRequest,
  GCS_INTEGRATION_EXAMPLE,
  IntegrationPage,
  IntegrationResponse,
  S3_INTEGRATION_EXAMPLE,
  UpdateIntegrationRequest,
} from '@delivery/integrations/schema';
import { BucketStore, IntegrationStore } from '@delivery/integrations/store';
import { ApiErrors, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import {
  booleanFilter,
  type ListRules,
  parseListQuery,
  type Query as QueryValues,
  toEnvelope,
} from '../contract/list-query';
import { ApiListQuery, ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { ChangeIntegration, noSuchIntegration } from './change-integration';
import { CreateIntegration } from './create-integration';
import { toIntegrationResponse } from './integration-response';

const LIST: ListRules<'createdAt' | 'updatedAt' | 'typeId' | 'id'> = {
  sortable: { created_at: 'createdAt', updated_at: 'updatedAt', type_id: 'typeId', id: 'id' },
  filters: ['type_id', 'enabled'],
  defaultSort: [{ by: 'createdAt', descending: true }],
};

const EXAMPLES = {
  s3: { summary: 'S3', value: CREATE_S3_EXAMPLE },
  gcs: { summary: 'GCS', value: CREATE_GCS_EXAMPLE },
};
const ANSWERS = {
  s3: { summary: 'S3', value: S3_INTEGRATION_EXAMPLE },
  gcs: { summary: 'GCS', value: GCS_INTEGRATION_EXAMPLE },
};

/** Standing exports: what to deliver, where, how often (contracts.md §1.3, D-1, D-2, D-20). */
@ContractController('Integrations')
@Controller('v1/marketplace/integrations')
export class IntegrationsController {
  constructor(
    private readonly creating: CreateIntegration,
    private readonly changing: ChangeIntegration,
    private readonly integrations: IntegrationStore,
    private readonly buckets: BucketStore,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Create an integration',
    description:
      'S3: a bucket and a role are made for your organization. GCS: a small object is written to your bucket and ' +
      'removed again. The first delivery is due 24 hours later, then one a day. At most 3 (configurable) integrations of ' +
      'an organization are enabled at a time; one more is answered 403.',
  })
  @ApiBody({ type: CreateIntegrationRequest, examples: EXAMPLES })
  @ApiOrganizationQuery()
  @ApiResponse({ status: 201, description: 'Created.', type: IntegrationResponse, examples: ANSWERS })
  @ApiErrors(403)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Body() request: CreateIntegrationRequest,
  ): Promise<IntegrationResponse> {
    const organizationId = requireOrganization(principal, query, request);
    const made = await this.creating.create({ organizationId, keyId: principal.keyId, request });
    return toIntegrationResponse(made.integration, await this.buckets.byOrganization(organizationId), made.warnings);
  }

  @Get()
  @ApiOperation({ summary: 'List integrations' })
  @ApiListQuery(Object.keys(LIST.sortable))
  @ApiQuery({ name: 'type_id', required: false, enum: INTEGRATION_TYPE_IDS })
  @ApiQuery({ name: 'enabled', required: false, type: Boolean })
  @ApiOkResponse({ type: IntegrationPage })
  @ApiErrors(403)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: QueryValues): Promise<IntegrationPage> {
    const organizationId = requireOrganization(principal, query);
    const page = parseListQuery(query, LIST);
    const enabled = booleanFilter('enabled', page.filters['enabled'] ?? page.filters['enabled[$in]']);
    const typeIds = page.filters['type_id'];
    const found = await this.integrations.list(
      organizationId,
      { ...(typeIds === undefined ? {} : { typeIds }), ...(enabled === undefined ? {} : { enabled }) },
      page,
    );
    const bucket = await this.buckets.byOrganization(organizationId);
    return toEnvelope(found, page, (integration) => toIntegrationResponse(integration, bucket));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an integration' })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: IntegrationResponse, examples: ANSWERS })
  @ApiErrors(403, 404)
  async read(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<IntegrationResponse> {
    const organizationId = requireOrganization(principal, query);
    const integration = await this.integrations.byId(organizationId, id);
    if (integration === undefined) throw noSuchIntegration();
    return toIntegrationResponse(integration, await this.buckets.byOrganization(organizationId));
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change an integration',
    description:
      'What is left out stays. enabled: false stops the schedule; the first run after enabling it again covers the ' +
      'pause. Another account, key or bucket is checked before it is stored, and used by runs that begin afterwards.',
  })
  @ApiBody({
    type: UpdateIntegrationRequest,
    examples: {
      disable: { value: { enabled: false } },
      account: { value: { authentication: { account_id: '444455556666' } } },
    },
  })
  @ApiOrganizationQuery()
  @ApiOkResponse({ type: IntegrationResponse, examples: ANSWERS })
  @ApiErrors(403, 404, 409)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Body() request: UpdateIntegrationRequest,
  ): Promise<IntegrationResponse> {
    const organizationId = requireOrganization(principal, query, request);
    const changed = await this.changing.update(organizationId, id, request);
    return toIntegrationResponse(
      changed.integration,
      await this.buckets.byOrganization(organizationId),
      changed.warnings,
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an integration',
    description:
      'Its runs are cancelled and its credentials destroyed. With the last S3 integration of the organization the role ' +
      'goes; what was delivered stays in the bucket until it is 7 days old.',
  })
  @ApiOrganizationQuery()
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiErrors(403, 404)
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
  ): Promise<void> {
    await this.changing.remove(requireOrganization(principal, query), id);
  }
}
