import { type PlanDeps, planRun } from '@delivery/exports/engine';
import { type ExporterKind, runRequested } from '@delivery/exports/schema';
import { type IntegrationKey, type RunLog, RunLogReadModel, RunStore } from '@delivery/exports/store';
import type { Integration } from '@delivery/integrations/domain';
import { ApiException, notFound } from '@delivery/platform/auth';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database, type Sql } from '@delivery/platform/postgres';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { noSuchIntegration, typeOf } from '../integrations/change-integration';
import { PLAN_DEPS } from './planning';

/** Runs of one integration that may wait at a time: whoever asks in a loop gets no endless queue. */
export const MAX_WAITING_RUNS = 10;

/** What clients ask of runs. Rows say what is to be done; Kafka only says to look now. */
@Injectable()
export class RunRequests {
  private readonly logger = new Logger(RunRequests.name);

  constructor(
    private readonly database: Database,
    private readonly runs: RunStore,
    private readonly log: RunLogReadModel,
    private readonly kafka: KafkaConnection,
    @Inject(PLAN_DEPS) private readonly planning: PlanDeps,
  ) {}

  /** Plans the next window of an integration now. @throws 404, 409 */
  async execute(integration: Integration): Promise<RunLog> {
    const key = { organizationId: integration.organizationId, integrationId: integration.id };
    if (!integration.enabled) {
      throw conflict('This integration is disabled: enable it first (PATCH with enabled: true), then run it.');
    }
    const planned = await planRun(this.planning, {
      ...key,
      trigger: 'manual',
      mustHold: (tx) => this.refuseEndlessQueue(tx, key),
    });
    if (planned.outcome === 'waiting') throw conflict(`No run can be planned now: ${planned.waitingFor}.`);
    // Deleted since it was looked up.
    if (planned.outcome !== 'planned') throw noSuchIntegration();
    const run = await this.find(integration, planned.run.id);
    await this.nudge(integration, run.id);
    return run;
  }

  /** @throws 409 */
  private async refuseEndlessQueue(tx: Sql, key: IntegrationKey): Promise<void> {
    const waiting = await this.log.page(tx, { ...key, statuses: ['pending', 'retrying'], limit: 0, skip: 0 });
    if (waiting.total < MAX_WAITING_RUNS) return;
    throw conflict(
      `${waiting.total} runs of this integration wait already: see GET /v1/marketplace/exports/logs, and cancel those that are not needed.`,
    );
  }

  /** @throws 404 also for a run of another integration */
  async find({ organizationId, id: integrationId }: Integration, id: string): Promise<RunLog> {
    const run = isRunId(id) ? await this.log.find(this.database, { organizationId, id }) : undefined;
    if (run?.integrationId !== integrationId) throw noSuchRun();
    return run;
  }

  /** Executes a failed run again, over the window it had. @throws 404, 409 */
  async retry(integration: Integration, id: string): Promise<RunLog> {
    await this.find(integration, id);
    const outcome = await this.runs.retryFailed(this.database, { organizationId: integration.organizationId, id });
    if (outcome !== 'retried') throw conflict('The run has not failed, so there is nothing to retry.');
    await this.nudge(integration, id);
    return this.find(integration, id);
  }

  /** @throws 404, 409 */
  async cancel(integration: Integration, id: string): Promise<RunLog> {
    await this.find(integration, id);
    const outcome = await this.runs.cancel(this.database, { organizationId: integration.organizationId, id });
    if (outcome !== 'cancelled') throw conflict('The run is over, so there is nothing to cancel.');
    return this.find(integration, id);
  }

  private async nudge(integration: Integration, runId: string): Promise<void> {
    const kind: ExporterKind = typeOf(integration).destinationKind;
    const topic = runRequested[kind];
    const message = { organization_id: integration.organizationId, run_id: runId };
    try {
      await this.kafka.publisher().publish(topic.name, [{ key: topic.key(message), value: topic.encode(message) }]);
    } catch (error) {
      // The run is a row: the scheduler nudges again.
      this.logger.warn({ err: error, run_id: runId }, 'the exporters could not be told of a run');
      return;
    }
    await this.runs.markNudged(this.database, [{ organizationId: integration.organizationId, id: runId }]);
  }
}

function isRunId(text: string): boolean {
  return /^[0-9a-f-]{36}$/.test(text);
}

function noSuchRun(): ApiException {
  return notFound('There is no run with this id of this integration.');
}

function conflict(message: string): ApiException {
  return new ApiException(409, message);
}
