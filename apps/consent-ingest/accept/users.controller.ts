import { ConsentReadStore } from '@delivery/consent/store';
import { ApiErrors, CurrentPrincipal, notFound, type Principal, requireOrganization } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ConsentsController,
  FullTreeQuery,
  JsonAnswer,
  OrganizationQuery,
  PageAnswer,
  PageQuery,
  TextQuery,
  userExample,
  userSchema,
} from './open-api';
import { flag, json, onlyKnown, pageBody, pageRequest, type Query as QueryString, single } from './queries';

/** `/v1/consents/users` (contracts §1.9): what users' confirmed events fold into. */
@ConsentsController('Consent users')
@Controller('v1/consents/users')
export class UsersController {
  private readonly read: ConsentReadStore;

  constructor(database: Database) {
    this.read = new ConsentReadStore(database);
  }

  @Get()
  @ApiOperation({ summary: 'List users' })
  @TextQuery('organization_user_id', "The customer's own id of the user.", 'jane@example.org')
  @TextQuery('regulation', 'Default gdpr.', 'gdpr')
  @PageQuery()
  @FullTreeQuery()
  @PageAnswer(userSchema, userExample)
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const organizationId = requireOrganization(principal, query);
    onlyKnown(query, ['organization_user_id', 'regulation']);
    const regulation = single(query, 'regulation') ?? 'gdpr';
    const { limit, after } = pageRequest(query);
    const filter = { organizationId, regulation, organizationUserId: single(query, 'organization_user_id') };
    const page = await this.read.users(filter, limit, after);
    reply.type(json).send(pageBody(page.documents, limit, page.next));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get one user' })
  @OrganizationQuery()
  @TextQuery('regulation', 'Default gdpr.', 'gdpr')
  @ApiQuery({
    name: '$by_organization_user_id',
    required: false,
    type: Boolean,
    description: "true: the id is the customer's own.",
  })
  @FullTreeQuery()
  @JsonAnswer(200, 'His state.', userSchema, userExample)
  @ApiErrors(404)
  async get(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Param('id') id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const organizationId = requireOrganization(principal, query);
    const regulation = single(query, 'regulation') ?? 'gdpr';
    const document = flag(query, '$by_organization_user_id')
      ? await this.read.userByOrganizationUserId(organizationId, id, regulation)
      : await this.read.user(organizationId, id, regulation);
    if (document === undefined) throw notFound(`There is no user "${id.slice(0, 64)}".`);
    reply.type(json).send(document);
  }
}
