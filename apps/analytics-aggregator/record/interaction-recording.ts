import { interactionRecorderGroup, interactionRecorderName } from '@delivery/analytics/schema';
import { KnownOrganizations, type Recording } from '@delivery/ingest/recorder';
import { InteractionsRecorder } from './interactions.recorder';

/** This service records the interactions' topic, and counts as it does so. */
export function interactionRecording(): Recording {
  return {
    consumer: interactionRecorderName,
    groupId: interactionRecorderGroup,
    topics: [new InteractionsRecorder(new KnownOrganizations())],
  };
}
