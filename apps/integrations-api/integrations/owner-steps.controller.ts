import { OwnerStepsResponse } from '@delivery/integrations/schema';
import { BucketStore, IntegrationStore } from '@delivery/integrations/store';
import { ApiErrors, badRequest, CurrentPrincipal, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiQuery, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PlatformBucketConfig } from '../buckets/bucket.config';
import type { Query as QueryValues } from '../contract/list-query';
import { ApiOrganizationQuery, ContractController } from '../contract/open-api';
import { noSuchIntegration } from './change-integration';
import { ownerSteps, stepsAsMarkdown } from './owner-steps';

/** What the owner of an integration's bucket does on his side. */
@ContractController('Integrations')
@Controller('v1/marketplace/integrations/:id/steps')
export class OwnerStepsController {
  constructor(
    private readonly integrations: IntegrationStore,
    private readonly buckets: BucketStore,
    private readonly config: PlatformBucketConfig,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Steps for the owner of the bucket',
    description: 'Policies, grants and the commands that read the bucket, with your values filled in.',
  })
  @ApiOrganizationQuery()
  @ApiQuery({ name: 'format', required: false, enum: ['json', 'markdown'], description: 'json if not given.' })
  @ApiExtraModels(OwnerStepsResponse)
  @ApiOkResponse({
    content: {
      'application/json': { schema: { $ref: getSchemaPath(OwnerStepsResponse) } },
      'text/markdown': { schema: { type: 'string' }, example: '# Export 58g9gnu3b5 of acme\n' },
    },
  })
  @ApiErrors(403, 404)
  async steps(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryValues,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OwnerStepsResponse | string> {
    const organizationId = requireOrganization(principal, query);
    const { format = 'json' } = query;
    if (format !== 'json' && format !== 'markdown') {
      throw badRequest('format must be json or markdown.', [{ field: 'format', message: 'must be json or markdown' }]);
    }
    const integration = await this.integrations.byId(organizationId, id);
    if (integration === undefined) throw noSuchIntegration();
    const steps = ownerSteps(integration, await this.buckets.byOrganization(organizationId), this.config.region);
    if (format === 'json') return { export_id: id, organization_id: organizationId, steps };
    reply.type('text/markdown; charset=utf-8');
    return stepsAsMarkdown(integration, steps);
  }
}
