export interface TopicPartition {
  topic: string;
  partition: number;
}

interface State extends TopicPartition {
  pausedByOwner: boolean;
  /** Set while a batch that failed waits to be fetched again. */
  retry: NodeJS.Timeout | undefined;
  failures: number;
}

/** What a consumer does to fetching, under the names of the broker. */
export interface Fetching {
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
}

const firstRetryMs = 100;
const longestRetryMs = 10_000;

/**
 * The partitions a consumer has now, and why some of them are not fetched: the owner said so, or a batch failed and
 * waits for its next try while the others go on.
 */
export class Partitions {
  private states = new Map<string, State>();

  constructor(private readonly fetching: Fetching) {}

  list(): TopicPartition[] {
    return listOf(this.states);
  }

  has(topic: string, partition: number): boolean {
    return this.states.has(key(topic, partition));
  }

  /** Begins a new assignment, in which nothing is paused. @returns what is not assigned any more. */
  assign(partitions: readonly TopicPartition[]): TopicPartition[] {
    const before = this.states;
    this.states = new Map(
      partitions.map(({ topic, partition }) => [
        key(topic, partition),
        { topic, partition, pausedByOwner: false, retry: undefined, failures: 0 },
      ]),
    );
    for (const state of before.values()) clearTimeout(state.retry);
    for (const state of this.states.values()) this.fetching.resume(state);
    return listOf(before).filter(({ topic, partition }) => !this.has(topic, partition));
  }

  pause(topic: string, partition: number): void {
    const state = this.states.get(key(topic, partition));
    if (!state) return;
    state.pausedByOwner = true;
    this.fetching.pause(state);
  }

  resume(topic: string, partition: number): void {
    const state = this.states.get(key(topic, partition));
    if (!state) return;
    state.pausedByOwner = false;
    if (!state.retry) this.fetching.resume(state);
  }

  isPaused(topic: string, partition: number): boolean {
    const state = this.states.get(key(topic, partition));
    return state === undefined || state.pausedByOwner || state.retry !== undefined;
  }

  /** A batch was handled. */
  succeeded(topic: string, partition: number): void {
    const state = this.states.get(key(topic, partition));
    if (state) state.failures = 0;
  }

  /** A batch was not handled: it is fetched again later, each time later. */
  failed(topic: string, partition: number): void {
    const state = this.states.get(key(topic, partition));
    if (!state || state.retry) return;
    const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** state.failures);
    state.failures += 1;
    this.fetching.pause(state);
    state.retry = setTimeout(
      () => {
        state.retry = undefined;
        if (!state.pausedByOwner) this.fetching.resume(state);
      },
      longest * (0.5 + Math.random() / 2),
    );
  }
}

function key(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

function listOf(states: ReadonlyMap<string, State>): TopicPartition[] {
  return [...states.values()].map(({ topic, partition }) => ({ topic, partition }));
}
