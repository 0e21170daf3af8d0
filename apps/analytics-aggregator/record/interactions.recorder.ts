import { type Interaction, MAX_DEVICE_SERVICES } from '@delivery/analytics/domain';
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

  /** @param countedLate - told how many were counted in a later hour than that of their arrival, when committed */
  constructor(
    private readonly organizations: KnownOrganizations,
    private readonly countedLate: (count: number) => void,
  ) {}

  prepare(message: LogMessage): Prepared<Interaction> {
    const parsed = parseInteractionMessage(message.value);
    if (parsed.ok) return { message, value: parsed.value };
    return { message, organizationId: parsed.organizationId, reasons: parsed.reasons };
  }

  async record(tx: Transaction, batch: readonly Item[], { partition }: LogSource): Promise<RecordOutcome> {
    const unknown = await this.organizations.unknownOf(tx, new Set(batch.map(({ value }) => value.organization_id)));
    const isKnown = ({ value }: Item): boolean => !unknown.has(value.organization_id);
    const good = unknown.size === 0 ? batch : batch.filter(isKnown);
    const { duplicates, late, refused } = await recordInteractions(
      tx,
      good.map(({ message: { arrivedAt, offset }, value }) => ({ interaction: value, arrivedAt, offset })),
      partition,
    );
    const rejected = batch
      .filter((item) => !isKnown(item))
      .map(({ message, value }) => rejectUnknownOrganization(message, value.organization_id));
    const tooMany = new Set(refused.map(({ offset }) => offset));
    rejected.push(...good.filter(({ message }) => tooMany.has(message.offset)).map(rejectTooManyServices));
    return { duplicates, suppressed: 0, rejected, committed: () => this.countedLate(late) };
  }
}

function rejectTooManyServices({ message, value }: Item): RecordOutcome['rejected'][number] {
  const most = MAX_DEVICE_SERVICES.toLocaleString('en-US');
  const sentence =
    `A device can decide on ${most} services a day under one settings id, and this one has decided on nearly as many. ` +
    `Give each service one template_id, and each device a device_id of its own.`;
  const reason = { field: 'services', code: 'too_many_services', message: sentence };
  return { message, organizationId: value.organization_id, reasons: [reason] };
}
