import type { ConsentEventInput } from '@delivery/consent/domain';
import { consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { ConsentReadStore } from '@delivery/consent/store';
import {
  ApiErrors,
  badRequest,
  CurrentPrincipal,
  notFound,
  type Principal,
  requireOrganization,
} from '@delivery/platform/auth';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { Metrics } from '@delivery/platform/service';
import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { IngestConfig } from '../app.config';
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
import { AcceptMessages } from './accept-messages';
import { acceptOne } from './accept-one';
import { eventIntake } from './intakes';
import { choices, flag, json, onlyKnown, pageBody, pageRequest, type Query as QueryString, single } from './queries';
import { RecordedEvents } from './recorded-events';
import type { Tally } from './tally';

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
  private readonly accept: AcceptMessages<ConsentEventInput>;
  private readonly read: ConsentReadStore;
  private readonly recorded: RecordedEvents;

  constructor(
    private readonly config: IngestConfig,
    database: Database,
    connection: KafkaConnection,
    metrics: Metrics,
  ) {
    this.accept = new AcceptMessages(eventIntake, connection, metrics);
    this.read = new ConsentReadStore(database);
    this.recorded = new RecordedEvents(database, consentRecorderName, consentEventsTopic);
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
    await this.accept.counting(body, (tally) => this.answer({ principal, query, prefer, body, reply }, tally));
  }

  private async answer({ principal, query, prefer, body, reply }: CreateRequest, tally: Tally): Promise<void> {
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
    const { message, at } = await acceptOne(this.accept, tally, body, principal, query);
    const wait = prefer?.toLowerCase().includes('respond-async') !== true;
    const stored = at && wait ? await this.recorded.find(message, at, this.config.answerWaitMs) : undefined;
    if (stored === undefined) return void reply.status(202).type(json).send(message);
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
