import { consentEvents, randomSource } from '../bench/generator';
import { poisonFor } from './poison';
import type { Outgoing } from './producer';
import type { WireEvent } from './wire-event';

export interface WorkloadOptions {
  organization: string;
  /** Different users; each has at least one event. */
  users: number;
  /** The number of the first of them; 0 if not given. */
  firstUser?: number;
  /** Messages in all: events, repetitions and poison. */
  messages: number;
  seed?: number;
  /** Share of users whom the customer has no id for. */
  guests?: number;
  /** Whether one of each kind of poison is among the messages. */
  poison?: boolean;
}

const outOfOrder = 0.05;
const repeated = 0.02;
const pending = 0.02;
const otherRegulation = 0.01;
/** A repetition comes at most so many messages after the first. */
const repeatedWithin = 500;

/**
 * Realistic messages of one organization with everything in them that goes wrong in the field: repetitions, events out of
 * order, from 1970 and from 2099, pending ones, guests, another regulation, poison. The same options give the same ones.
 */
export function workload(options: WorkloadOptions): Outgoing[] {
  const { organization, users, firstUser = 0, messages, seed = 1, guests = 0 } = options;
  const random = randomSource(seed + 7);
  const source: Iterator<WireEvent> = consentEvents({ organization, users, firstUser, seed, guests, outOfOrder });
  const sent: Outgoing[] = [];
  const events: WireEvent[] = [];
  const poison = options.poison ? poisonFor(organization) : [];
  const poisonEvery = Math.max(1, Math.floor(messages / (poison.length + 1)));
  while (sent.length < messages) {
    const next = sent.length % poisonEvery === poisonEvery - 1 ? poison.pop() : undefined;
    const before =
      random() < repeated ? events.at(-1 - Math.floor(random() * Math.min(repeatedWithin, events.length))) : undefined;
    if (next !== undefined) sent.push({ poison: next });
    else if (before !== undefined) sent.push({ event: before });
    else {
      const event = vary(source.next().value as WireEvent, random);
      if (events.length < users) event.user = userOf(options, events.length);
      events.push(event);
      sent.push({ event });
    }
  }
  return sent;
}

function vary(event: WireEvent, random: () => number): WireEvent {
  const dice = random();
  if (dice < pending) return { ...event, status: 'pending_approval' };
  if (dice < pending + otherRegulation) return { ...event, regulation: 'ccpa' };
  if (random() < 0.005)
    return { ...event, created_at: random() < 0.5 ? '1970-01-01T00:00:00Z' : '2099-12-31T23:59:59Z' };
  return event;
}

/** Each user once in turn first, so that none is left out by chance. */
function userOf(options: WorkloadOptions, which: number): NonNullable<WireEvent['user']> {
  const { organization, users, firstUser = 0, guests = 0 } = options;
  const number = firstUser + which;
  const known = { organization_user_id: `customer-${number}@example.com`, organization_user_id_type: 'email' };
  return { id: `${organization}-user-${number}`, ...(which >= users * guests && known) };
}
