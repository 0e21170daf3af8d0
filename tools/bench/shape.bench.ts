import {
  applyEvent,
  type ConsentUserState,
  eventDocument,
  normalizeEvent,
  parseUserDocument,
  userDocument,
} from '@delivery/consent/domain';
import { consentEvents as topic, parseEventMessage, validateEvent } from '@delivery/consent/schema';
import { consentEvents, take } from './generator';
import { median } from './measure';

export interface ShapeOptions {
  events: number;
  users: number;
  runs: number;
}

/**
 * The recorder's own work on an event, without Kafka and Postgres, in events per CPU second: what one recorder cannot go
 * beyond, however fast the database is.
 */
export function benchShape(options: ShapeOptions) {
  const generator = consentEvents({ organization: 'acme', users: options.users, startAt: Date.UTC(2026, 0, 1) });
  const messages = take(generator, options.events).map((event) => topic.encode(event));
  const values = messages.map((bytes) => topic.decode(bytes));
  const events = values.map((value, i) => normalizeEvent(value, arrivalOf(i)));
  const documents = userDocumentsOf(events);
  const perCpuSecond = (work: (i: number) => unknown) => measure(options, work);
  return {
    benchmark: 'shape of one event: validate, fold, write',
    options,
    bytesPerEvent: Math.round(messages.reduce((sum, bytes) => sum + bytes.length, 0) / messages.length),
    eventsPerCpuSecond: {
      'parse as JSON': perCpuSecond((i) => topic.decode(at(messages, i))),
      'validate what is parsed': perCpuSecond((i) => validateEvent(values[i])),
      'parse and validate': perCpuSecond((i) => parseEventMessage(at(messages, i))),
      'normalize, fold onto the stored document, write both documents': perCpuSecond((i) => {
        const event = normalizeEvent(at(values, i), arrivalOf(i));
        userDocument(applyEvent(parseUserDocument(at(documents, i)), event));
        eventDocument(event, 1);
      }),
    },
  };
}

function arrivalOf(offset: number) {
  const position = { topicId: 1, partition: 0, epoch: 1, offset: BigInt(offset) };
  return { clusterId: 'bench', topic: topic.name, position, arrivedAt: Date.UTC(2026, 1, 1) };
}

/** For each event, its user's document as it is in the end. */
function userDocumentsOf(events: readonly ReturnType<typeof normalizeEvent>[]): string[] {
  const states = new Map<string, ConsentUserState>();
  for (const event of events) states.set(event.userId, applyEvent(states.get(event.userId), event));
  return events.map((event) => userDocument(states.get(event.userId) ?? applyEvent(undefined, event)));
}

function measure({ events, runs }: ShapeOptions, work: (i: number) => unknown): number {
  const rates = [];
  for (let run = 0; run <= runs; run += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < events; i += 1) work(i);
    const { user, system } = process.cpuUsage(before);
    if (run > 0) rates.push((events / (user + system)) * 1e6); // the first is the warm-up
  }
  return Math.round(median(rates));
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new RangeError(`there is no item ${i}`);
  return item;
}
