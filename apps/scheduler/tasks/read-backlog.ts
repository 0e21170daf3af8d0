import type { BacklogReadModel } from '@delivery/exports/store';
import type { IngestPosition, RejectionStore } from '@delivery/ingest/store';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database, Sql } from '@delivery/platform/postgres';
import type { Task } from '@delivery/platform/service';
import type { BacklogGauges } from './backlog-gauges';
import { exporterKinds } from './nudges';

export interface BacklogTaskDeps {
  readonly database: Database;
  readonly log: Pick<KafkaConnection, 'watermarks'>;
  readonly backlog: BacklogReadModel;
  readonly rejections: RejectionStore;
  readonly readPositions: (sql: Sql) => Promise<IngestPosition[]>;
  readonly topics: readonly string[];
  readonly gauges: BacklogGauges;
  readonly everySeconds: number;
}

/** Reads what holds for the platform as a whole, which only the database and the log know, for the operator's gauges. */
export function readBacklog(deps: BacklogTaskDeps): Task {
  return { name: 'backlog', everySeconds: deps.everySeconds, run: () => read(deps) };
}

async function read(deps: BacklogTaskDeps): Promise<void> {
  const { database, log, backlog, rejections, readPositions, topics, gauges } = deps;
  try {
    const positions = await readPositions(database);
    gauges.show(await backlog.read(database, exporterKinds), positions);
    gauges.rejections(await rejections.backlog(database));
    for (const topic of topics) {
      const own = positions.filter((position) => position.topic === topic);
      gauges.behind(topic, behind(own, await log.watermarks(topic)));
    }
  } catch (error) {
    // An old number would pass for the present one.
    gauges.forget();
    throw error;
  }
}

/** Messages of a topic that are in the log and not recorded. */
function behind(
  positions: readonly IngestPosition[],
  ends: Awaited<ReturnType<KafkaConnection['watermarks']>>,
): bigint {
  return ends.reduce((sum, { partition, low, high }) => {
    const next = positions.find((each) => each.partition === partition)?.nextOffset ?? low;
    return sum + (high > next ? high - next : 0n);
  }, 0n);
}
