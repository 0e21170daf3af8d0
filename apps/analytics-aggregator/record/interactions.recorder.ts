import type { Interaction } from '@delivery/analytics/domain';
import { interactionsRejectedTopic, interactionsTopic, parseInteractionMessage } from '@delivery/analytics/schema';
import { recordInteractions } from '@delivery/analytics/store';
import {
  type KnownOrganizations,
  type LogMessage,
  type LogSource,
  type Prepared,
  type RecordOutcome,
  rejectUnknownOrganization,
  type TopicRecorder,
} from '@delivery/ingest/recorder';
import type { Transaction } from '@delivery/platform/postgres';

interface Item {
  readonly message: LogMessage;
  readonly value: Interaction;
}

/** Counts `consent.interactions.v1`. */
export class InteractionsRecorder implements TopicRecorder<Interaction> {
  readonly topic = interactionsTopic;
  readonly rejectedTopic = interactionsRejectedTopic;

  constructor(private readonly organizations: KnownOrganizations) {}

  prepare(message: LogMessage): Prepared<Interaction> {
    const parsed = parseInteractionMessage(message.value);
    if (parsed.ok) return { message, value: parsed.value };
    return { message, organizationId: parsed.organizationId, reasons: parsed.reasons };
  }

  async record(tx: Transaction, batch: readonly Item[], { partition }: LogSource): Promise<RecordOutcome> {
    const unknown = await this.organizations.unknownOf(tx, new Set(batch.map(({ value }) => value.organization_id)));
    const isKnown = ({ value }: Item): boolean => !unknown.has(value.organization_id);
    const good = unknown.size === 0 ? batch : batch.filter(isKnown);
    const { duplicates } = await recordInteractions(
      tx,
      good.map(({ message: { arrivedAt, offset }, value }) => ({ interaction: value, arrivedAt, offset })),
      partition,
    );
    const rejected = batch
      .filter((item) => !isKnown(item))
      .map(({ message, value }) => rejectUnknownOrganization(message, value.organization_id));
    return { duplicates, suppressed: 0, rejected };
  }
}
