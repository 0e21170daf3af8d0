import { ApiException } from '@delivery/platform/auth';
import { KafkaError } from '@delivery/platform/kafka';
import { counterSpec, type CounterSpec, type Metrics } from '@delivery/platform/service';

export type ReceivedSpec = CounterSpec<'outcome' | 'reason'>;

/** A counter of received things, by the plural of their name; the sum over all outcomes is what was received. */
export function receivedSpec(things: string): ReceivedSpec {
  const capital = things.charAt(0).toUpperCase() + things.slice(1);
  return counterSpec(
    `ingest_${things}_received_total`,
    `${capital} in REST requests that were allowed, by how they ended: accepted; refused with the first reason; failed, to be sent again.`,
    ['outcome', 'reason'],
  );
}

/** Counts the things of one request, each exactly once. */
export class Tally {
  private readonly counter;

  /** @param left - things of the request that have not ended yet */
  constructor(
    metrics: Metrics,
    received: ReceivedSpec,
    private left: number,
  ) {
    this.counter = metrics.counter(received);
  }

  /** Kafka has them. */
  accepted(count: number): void {
    this.end('accepted', '', count);
  }

  /** @param reason - a code of the validation: one of few words, never what was sent */
  refused(reason: string): void {
    this.end('refused', reason, 1);
  }

  /** What ended the request ended all that is left of it. */
  rest(error: unknown): void {
    if (error instanceof ApiException && error.getStatus() < 500) return this.end('refused', 'request', this.left);
    this.end('failed', error instanceof KafkaError ? error.code : 'unexpected', this.left);
  }

  private end(outcome: 'accepted' | 'refused' | 'failed', reason: string, count: number): void {
    if (count > 0) this.counter.inc({ outcome, reason }, count);
    this.left -= count;
  }
}
