import type { IngestPosition } from '@delivery/ingest/store';

/** What a partition of the log looks like now. */
export interface LogExtent {
  clusterId: string;
  /** First offset still in the log. */
  low: bigint;
  /** Offset the next message will get. */
  high: bigint;
}

export type LogCheck = { ok: true; seekTo: bigint; expectFingerprint: boolean } | { ok: false; reason: string };

/**
 * Decides whether a stored position still belongs to this log (architecture, rule 5). Where the last recorded message is
 * still there, reading begins at it, so that its fingerprint is compared before anything is recorded.
 */
export function checkLog(position: IngestPosition, log: LogExtent): LogCheck {
  const name = `partition ${position.partition} of ${position.topic}`;
  const remedy =
    `If this log is the right one, continue with it by: ` +
    `npm run admin -- ingest new-epoch ${position.topic} ${position.partition} (it asks where to begin)`;
  if (position.clusterId !== log.clusterId) {
    return {
      ok: false,
      reason: `Recording of ${name} stopped: it was recorded from Kafka cluster ${position.clusterId}, this is cluster ${log.clusterId}. ${remedy}`,
    };
  }
  if (position.nextOffset > log.high) {
    return {
      ok: false,
      reason: `Recording of ${name} stopped: offset ${position.nextOffset} is next, but the log ends at ${log.high}; the topic was recreated or truncated. ${remedy}`,
    };
  }
  if (log.low > position.nextOffset) {
    return {
      ok: false,
      reason: `Recording of ${name} stopped: offsets ${position.nextOffset} to ${log.low - 1n} (${log.low - position.nextOffset} in all) left the log before they were recorded. Restore them, or accept the loss. ${remedy}`,
    };
  }
  const { fingerprintOffset } = position;
  if (fingerprintOffset === undefined || fingerprintOffset < log.low) {
    return { ok: true, seekTo: position.nextOffset, expectFingerprint: false };
  }
  return { ok: true, seekTo: fingerprintOffset, expectFingerprint: true };
}

/** The sentence for a message that is not the one recorded at this offset. */
export function otherMessageReason(position: IngestPosition): string {
  return (
    `Recording of partition ${position.partition} of ${position.topic} stopped: the log holds another message at offset ` +
    `${position.fingerprintOffset} than the one recorded from there; the topic was recreated. ` +
    `If this log is the right one, continue with it by: npm run admin -- ingest new-epoch ${position.topic} ${position.partition}`
  );
}

/** The sentence for a position in a partition that the topic does not have (any more). */
export function noPartitionReason({ topic, partition, nextOffset }: IngestPosition): string {
  return (
    `Recording of partition ${partition} of ${topic} stopped at offset ${nextOffset}: the topic has no such partition any ` +
    `more; it was recreated, and what was not recorded of this partition is lost. Give the topic its partitions back, ` +
    `and continue by: npm run admin -- ingest new-epoch ${topic} ${partition}`
  );
}
