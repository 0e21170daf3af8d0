import { interactionRecorderGroup, interactionRecorderName } from '@delivery/analytics/schema';
import { KnownOrganizations, type Recording } from '@delivery/ingest/recorder';
import type { Metrics } from '@delivery/platform/service';
import { countedLate } from '../aggregator-metrics';
import { InteractionsRecorder } from './interactions.recorder';

/** This service records the interactions' topic, and counts as it does so. */
export function interactionRecording(metrics: Metrics): Recording {
  const late = (count: number): void => metrics.counter(countedLate).inc({ kind: 'interactions' }, count);
  return {
    consumer: interactionRecorderName,
    groupId: interactionRecorderGroup,
    topics: [new InteractionsRecorder(new KnownOrganizations(), late)],
  };
}
