import type { PlanDeps } from '@delivery/exports/engine';
import { RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { OrganizationStore } from '@delivery/integrations/store';
import { KafkaConnection } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import type { FactoryProvider } from '@nestjs/common';

/** Token of what `planRun` needs. */
export const PLAN_DEPS = Symbol('PlanDeps');

export const planDepsProvider: FactoryProvider<PlanDeps> = {
  provide: PLAN_DEPS,
  inject: [Database, ScheduleStore, RunStore, OrganizationStore, KafkaConnection],
  useFactory: (
    database: Database,
    schedules: ScheduleStore,
    runs: RunStore,
    organizations: OrganizationStore,
    log: KafkaConnection,
  ): PlanDeps => ({
    database,
    schedules,
    runs,
    positions: new PositionStore(),
    log,
    readSettings: (sql, organizationId) => organizations.exportSettings(sql, organizationId),
    // Only runs that somebody asked for are planned here, and those never wait.
    maxWaitSeconds: 0,
  }),
};
