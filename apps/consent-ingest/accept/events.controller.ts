import { ConsentReadStore } from '@delivery/consent/store';
import {
  ApiErrors,
  badRequest,
  CurrentPrincipal,
  notFound,
  type Principal,
  requireOrganization,
} from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AcceptEvents } from './accept-events';
import {
  ConsentsController,
  CreateEventsReference,
  eventExample,
  eventSchema,
  JsonAnswer,
  OrganizationQuery,
  PageAnswer,
  PageQuery,
  TextQuery,
} from './open-api';
import { acceptMany } from './accept-many';
import type { EventTally } from './event-tally';
import { choices, flag, onlyKnown, pageBody, pageRequest, type Query as QueryString, single } from './queries';

const json = 'application/json; charset=utf-8';

interface CreateRequest {
  readonly principal: Principal;
  readonly query: QueryString;
  readonly prefer: string | undefined;
  readonly body: unknown;
  readonly reply: FastifyReply;
}

/** `/v1/consents/events` (contracts §1.9). */
@ConsentsController('Consent events')
@Controller('v1/consents/events')
export class EventsController {
  private readonly read: ConsentReadStore;

  constructor(
    private readonly accept: AcceptEvents,
    database: Database,
  ) {
    this.read = new ConsentReadStore(database);
  }

  @Post()
  @CreateEventsReference()
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Headers('prefer') prefer: string | undefined,
    @Body() body: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const count = Array.isArray(body) ? body.length : 1;
    await this.accept.counting(count, (tally) => this.answer({ principal, query, prefer, body, reply }, tally));
  }

  private async answer({ principal, query, prefer, body, reply }: CreateRequest, tally: EventTally): Promise<void> {
    if (flag(query, '$generate_tcfcs')) {
      throw badRequest('$generate_tcfcs is not supported yet: send the TCF string in consents.tcfcs.', [
        { field: '$generate_tcfcs', message: 'not supported yet' },
      ]);
    }
    flag(query, '$disable_integrations');
    if (Array.isArray(body)) {
      const { status, results } = await acceptMany(this.accept, tally, body, principal, query);
      return void reply.status(status).type(json).send({ data: results });
    }
    const checked = this.accept.check(body, requireOrganization(principal, query, body));
    if (!checked.ok) {
      tally.refused(checked.reasons[0]?.code ?? 'invalid');
      throw badRequest(
        'The event is not valid.',
        checked.reasons.map(({ field, message }) => ({ field, message })),
      );
    }
    const [at] = await this.accept.publish([checked.event]);
    tally.accepted(1);
    const wait = prefer?.toLowerCase().includes('respond-async') !== true;
    const stored = at && wait ? await this.accept.recorded(checked.event, at) : undefined;
    if (stored === undefined) return void reply.status(202).type(json).send(checked.event);
    return void reply.status(200).type(json).send(stored);
  }

  @Get()
  @ApiOperation({ summary: "List a user's events" })
  @TextQuery('user_id', "The platform's id of the user; this or organization_user_id is required.")
  @TextQuery('organization_user_id', "The customer's own id of the user.", 'jane@example.org')
  @TextQuery('status', 'Default confirmed; several as status[$in]=.', 'confirmed')
  @TextQuery('regulation', 'Default gdpr; several as regulation[$in]=.', 'gdpr')
  @PageQuery()
  @PageAnswer(eventSchema, eventExample)
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const organizationId = requireOrganization(principal, query);
    onlyKnown(query, ['user_id', 'organization_user_id'], ['status', 'regulation']);
    const userId = single(query, 'user_id');
    const organizationUserId = single(query, 'organization_user_id');
    if (userId === undefined && organizationUserId === undefined) {
      throw badRequest('Name the user: user_id or organization_user_id.', [
        { field: 'user_id', message: 'user_id or organization_user_id is required' },
      ]);
    }
    const statuses = choices(query, 'status', ['confirmed'], ['confirmed', 'pending_approval']);
    const regulations = choices(query, 'regulation', ['gdpr']);
    const { limit, after } = pageRequest(query);
    const page = await this.read.events(
      { organizationId, userId, organizationUserId, statuses, regulations },
      limit,
      after,
    );
    reply.type(json).send(pageBody(page.documents, limit, page.next));
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get one event' })
  @OrganizationQuery()
  @JsonAnswer(200, 'The event as it is stored.', eventSchema, eventExample)
  @ApiErrors(404)
  async get(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Param('id') id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const document = await this.read.event(requireOrganization(principal, query), id);
    if (document === undefined) throw notFound(`There is no event "${id.slice(0, 64)}".`);
    reply.type(json).send(document);
  }
}
