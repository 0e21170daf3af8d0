import { consentCommandsTopic, consentEventsTopic, consentRecorderName } from '@delivery/consent/schema';
import { logTargetAt, readinessOf } from '../plan/log-readiness';
import type { ContentSource } from './content-source';

const TOPICS = [consentEventsTopic, consentCommandsTopic];

/** Consents, by their places in the log. */
export const consentLog: ContentSource = {
  consumer: consentRecorderName,
  async readinessAt(log, time, recorded) {
    const target = await logTargetAt(log, TOPICS, time, recorded);
    return (positions) => readinessOf(target, positions, time);
  },
  lackOf(at, { topic, partition, epoch, offset }) {
    const lag = at.epoch === epoch ? `${offset - at.offset} messages` : `epoch ${epoch}`;
    return `partition ${partition} of ${topic} lacks ${lag}`;
  },
};
