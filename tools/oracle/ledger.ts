import type { WireEvent } from './wire-event';

export const eventsTopic = 'consent.events.v1';

/** Messages the oracle sends to Kafka carry their number, so that it finds each of them, poison too, in the log. */
export const numberHeader = 'oracle-number';

/** Where a message stands in the log, and when the log took it (milliseconds since 1970 UTC). */
export interface Place {
  epoch: number;
  partition: number;
  offset: bigint;
  arrivedAt: number;
}

/** A message as it was read back from the log. */
export interface LoggedMessage {
  partition: number;
  offset: bigint;
  arrivedAt: number;
  value: Buffer | null;
  headers: Readonly<Record<string, string>>;
}

/** One thing the oracle produced. */
export interface Produced {
  number: number;
  /** Undefined for what must be rejected. */
  event: WireEvent | undefined;
  /** Code of the reason that poison should be rejected with. */
  reason: string | undefined;
  via: 'kafka' | 'rest';
  /** Where the log has it; several when a producer sent it more than once. */
  places: Place[];
  /** Whether the producer was told that it is durable: then it must be in the log. */
  acknowledged: boolean;
}

/** All that was produced, with its places in the log: what the deliveries are judged against. */
export class Ledger {
  readonly produced: Produced[] = [];
  /** Messages in the log that the oracle knows nothing about. */
  strangers = 0;

  event(event: WireEvent, via: 'kafka' | 'rest' = 'kafka'): Produced {
    return this.add(event, via);
  }

  /** Something that must end in the rejected topic. */
  poison(reason = 'any'): Produced {
    return this.add(undefined, 'kafka', reason);
  }

  /** Takes the places from the log. An epoch counts the lives of a partition, whose topic is recreated at times. */
  locate(messages: readonly LoggedMessage[], epochOf: (partition: number) => number = () => 1): void {
    const byId = Map.groupBy(
      this.produced.filter(({ via }) => via === 'rest'),
      ({ event }) => idKey(event),
    );
    for (const { partition, offset, arrivedAt, value, headers } of messages) {
      const number = headers[numberHeader];
      // An id sent twice over REST stands twice in the log: the first message is the first request's. A request that
      // was repeated behind the client's back may stand there more often.
      const sent = number === undefined ? (byId.get(idOf(value)) ?? []) : [];
      const found =
        number === undefined
          ? (sent.find(({ places }) => places.length === 0) ?? sent.at(-1))
          : this.produced[Number(number)];
      if (found === undefined) this.strangers += 1;
      else found.places.push({ epoch: epochOf(partition), partition, offset, arrivedAt });
    }
  }

  /** Produced, but not in the log: no claim about delivery can be made. */
  get unlogged(): Produced[] {
    return this.produced.filter((each) => each.places.length === 0);
  }

  /** What is acknowledged by now. */
  get acknowledged(): Produced[] {
    return this.produced.filter(({ acknowledged }) => acknowledged);
  }

  /**
   * Those that are not in the log, of what was acknowledged before it was read: accepted, and lost. For events over REST,
   * any message of their id will do.
   */
  forgotten(acknowledged: readonly Produced[]): Produced[] {
    const logged = new Set(this.produced.filter(({ places }) => places.length > 0).map(({ event }) => idKey(event)));
    const missing = acknowledged.filter(({ places }) => places.length === 0);
    return missing.filter(({ via, event }) => !(via === 'rest' && logged.has(idKey(event))));
  }

  private add(event: WireEvent | undefined, via: 'kafka' | 'rest', reason?: string): Produced {
    const produced: Produced = { number: this.produced.length, event, reason, via, places: [], acknowledged: false };
    this.produced.push(produced);
    return produced;
  }
}

function idKey(event: WireEvent | undefined): string {
  return `${event?.organization_id} ${event?.id}`;
}

function idOf(value: Buffer | null): string {
  try {
    return idKey(JSON.parse(value?.toString('utf8') ?? '') as WireEvent);
  } catch {
    return '';
  }
}
