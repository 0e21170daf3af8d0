import type { Interaction } from '@delivery/analytics/domain';
import { CurrentPrincipal, type Principal } from '@delivery/platform/auth';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Metrics } from '@delivery/platform/service';
import { Body, Controller, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { acceptMany } from './accept-many';
import { AcceptMessages } from './accept-messages';
import { acceptOne } from './accept-one';
import { interactionIntake } from './intakes';
import { CreateInteractionsReference } from './interactions-reference';
import { ConsentsController } from './open-api';
import { json, type Query as QueryString } from './queries';

/** `/v1/consents/interactions`: the topic `consent.interactions.v1` over REST. */
@ConsentsController('Interactions')
@Controller('v1/consents/interactions')
export class InteractionsController {
  private readonly accept: AcceptMessages<Interaction>;

  constructor(connection: KafkaConnection, metrics: Metrics) {
    this.accept = new AcceptMessages(interactionIntake, connection, metrics);
  }

  /** Answered on Kafka's acknowledgement: interactions are counted, never read back. */
  @Post()
  @CreateInteractionsReference()
  async create(
    @CurrentPrincipal() principal: Principal,
    @Query() query: QueryString,
    @Body() body: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.accept.counting(body, async (tally) => {
      if (Array.isArray(body)) {
        const { status, results } = await acceptMany(this.accept, tally, body, principal, query);
        return void reply.status(status).type(json).send({ data: results });
      }
      const { message } = await acceptOne(this.accept, tally, body, principal, query);
      return void reply.status(202).type(json).send(message);
    });
  }
}
