import { RunLogReadModel } from '@delivery/exports/store';
import { EXPORT_LOG_STATUSES, type ExportLogStatus, type RunPage } from '@delivery/integrations/schema';
import { badRequest } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { Injectable } from '@nestjs/common';
import { type ListRules, parseListQuery, type Query, toEnvelope } from '../contract/list-query';
import { STATES_OF, toRunResponse, toWaitingResponse } from './run-response';

/** Always newest first. */
const RULES: ListRules<never> = { sortable: {}, filters: ['status'], others: ['export_id'], defaultSort: [] };

/** Pages of runs, as the log and the runs of one integration show them. */
@Injectable()
export class RunList {
  constructor(
    private readonly database: Database,
    private readonly log: RunLogReadModel,
  ) {}

  /** @param integrationId all of the organization if undefined */
  async page(organizationId: string, integrationId: string | undefined, query: Query): Promise<RunPage> {
    const page = parseListQuery(query, RULES);
    const wanted = { organizationId, ...(integrationId === undefined ? {} : { integrationId }) };
    const statuses = statesOf(page.filters['status']);
    const [found, waiting] = await Promise.all([
      this.log.page(this.database, {
        ...wanted,
        ...(statuses === undefined ? {} : { statuses }),
        limit: page.limit,
        skip: page.skip,
      }),
      this.log.waiting(this.database, wanted),
    ]);
    return { ...toEnvelope(found, page, toRunResponse), waiting: waiting.map(toWaitingResponse) };
  }
}

function statesOf(given: readonly string[] | undefined) {
  return given?.flatMap((status) => {
    if (!isLogStatus(status)) {
      const message = `must be one of ${EXPORT_LOG_STATUSES.join(', ')}`;
      throw badRequest(`status ${message}.`, [{ field: 'status', message }]);
    }
    return STATES_OF[status];
  });
}

function isLogStatus(text: string): text is ExportLogStatus {
  return EXPORT_LOG_STATUSES.some((status) => status === text);
}
