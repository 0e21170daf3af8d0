import { interactionRecorderName } from '@delivery/analytics/schema';
import { KnownOrganizations, Recorder } from '@delivery/ingest/recorder';
import type { KafkaConnection } from '@delivery/platform/kafka';
import type { Database } from '@delivery/platform/postgres';
import { InteractionsRecorder } from '../record/interactions.recorder';

/**
 * A recorder of interactions as the service has it.
 * @param groupId - recorders of different groups all read everything, and race for every message
 */
export async function startRecorder(
  database: Database,
  connection: KafkaConnection,
  {
    groupId,
    batchSize = 50,
    countedLate = () => undefined,
  }: { groupId: string; batchSize?: number; countedLate?: (count: number) => void },
) {
  const nothing = (): void => undefined;
  const observer = {
    ...{ began: nothing, owns: nothing, counted: nothing, recorded: nothing, behind: nothing },
    ...{ stopped: nothing, resumed: nothing, failed: nothing },
  };
  const recorder = new Recorder(
    { database, connection, observer },
    {
      consumer: interactionRecorderName,
      groupId,
      topics: [new InteractionsRecorder(new KnownOrganizations(), countedLate)],
      batchSize,
      recheckMs: 100,
      stalledMs: 60_000,
    },
  );
  await recorder.start();
  return recorder;
}
