import { consentRecorderGroup, consentRecorderName } from '@delivery/consent/schema';
import { KnownOrganizations, type Recording } from '@delivery/ingest/recorder';
import { ConsentCommandsRecorder } from './consent-commands.recorder';
import { ConsentEventsRecorder } from './consent-events.recorder';

/** The role `record`: reads the consent topics and records them exactly once. */
export function consentRecording(): Recording {
  return {
    consumer: consentRecorderName,
    groupId: consentRecorderGroup,
    topics: [new ConsentEventsRecorder(new KnownOrganizations()), new ConsentCommandsRecorder()],
  };
}
