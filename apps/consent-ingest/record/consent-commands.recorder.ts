import { consentCommandsTopic, consentEventsRejectedTopic } from '@delivery/consent/schema';
import type { LogMessage, Prepared, RecordOutcome, TopicRecorder } from '@delivery/ingest/recorder';

const reason = {
  field: 'type',
  code: 'command_not_supported',
  message: 'This version records no commands: amendments, removals and erasures come with a later one.',
};

/** Moves the position of `consent.commands.v1` along, so that windows know it; no command exists yet. */
export class ConsentCommandsRecorder implements TopicRecorder<never> {
  readonly topic = consentCommandsTopic;
  readonly rejectedTopic = consentEventsRejectedTopic;

  prepare(message: LogMessage): Prepared<never> {
    return { message, organizationId: undefined, reasons: [reason] };
  }

  async record(): Promise<RecordOutcome> {
    return { duplicates: 0, suppressed: 0, rejected: [] };
  }
}
