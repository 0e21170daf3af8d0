import { createHash } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { LoggedMessage } from './ledger';
import { readLog } from './read-log';

/** An interaction as any producer would write it. */
export interface SentInteraction {
  organization_id: string;
  id?: string;
  type: string;
  settings_id: string;
  device_id?: string;
  controller_id?: string;
  platform: string;
  browser: string;
  country: string;
  action?: number;
  action_type?: string;
  session_id?: string;
  services?: { template_id: string; name: string; consent: 0 | 1 }[];
}

export interface Broker {
  brokers: readonly string[];
  topicPrefix: string;
}

export const interactionsTopic = 'consent.interactions.v1';

const layers = ['', '_L1', '_L2'];
const bannerTypes = [
  'CMP_SHOWN',
  ...['ACCEPT_ALL', 'DENY_ALL', 'SAVE'].flatMap((type) => layers.map((layer) => `${type}${layer}`)),
  ...['CCPA_TOGGLES_OFF', 'CCPA_TOGGLES_ON', 'PRIVACY_POLICY_LINK', 'IMPRINT_LINK', 'MORE_INFORMATION_LINK'],
];
const types = [...bannerTypes, 'DECISION', 'DECISION', 'DECISION', 'PAGE_VIEW', 'PAGE_VIEW', 'SESSION', 'SESSION'];
const platforms = ['web', 'app'];
const browsers = ['chrome', 'firefox', 'safari', 'bot'];
const countries = ['FR', 'DE', 'US'];
const services = ['analytics', 'ads', 'maps'];
const messagesPerRequest = 500;

export const interactionSettings = ['shop', 'blog'] as const;

/** Numbers that are the same every time, and look like nothing in particular. */
function pick(seed: number, what: string, among: number): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE() % among;
}

/**
 * Of every hundred one is sent again with the same id, one has no organization that exists, and one is no JSON.
 * @param first - the number of the first; the same numbers give the same interactions
 */
export function interactionsOf(organization: string, count: number, first = 0): (SentInteraction | string)[] {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index;
    if (n % 100 === 99) return '{"type":';
    const seed = n % 100 === 98 ? n - 1 : n;
    const type = types[pick(seed, 'type', types.length)] ?? 'CMP_SHOWN';
    return {
      organization_id: n % 100 === 50 ? `${organization}-not` : organization,
      ...(seed % 100 === 97 && { id: `i-${seed}` }),
      type,
      settings_id: interactionSettings[pick(seed, 'settings', interactionSettings.length)] ?? 'shop',
      ...whose(seed),
      platform: platforms[pick(seed, 'platform', platforms.length)] ?? '',
      browser: browsers[pick(seed, 'browser', browsers.length)] ?? '',
      country: countries[pick(seed, 'country', countries.length)] ?? '',
      ...(type === 'DECISION' && decision(seed)),
      ...(type === 'SESSION' && { session_id: `session-${pick(seed, 'session', 50)}` }),
    };
  });
}

/** Of three one has no device but a controller, who is called as a device is and none. */
function whose(seed: number): Pick<SentInteraction, 'device_id' | 'controller_id'> {
  const name = `device-${pick(seed, 'device', 200)}`;
  return pick(seed, 'whose', 3) === 0 ? { controller_id: name } : { device_id: name };
}

function decision(seed: number): Pick<SentInteraction, 'action' | 'action_type' | 'services'> {
  return {
    action: pick(seed, 'action', 9),
    action_type: pick(seed, 'how', 2) === 0 ? 'explicit' : 'implicit',
    services: services.map((name) => ({ template_id: `t-${name}`, name, consent: pick(seed, name, 2) === 0 ? 0 : 1 })),
  };
}

/** As any company would: an ordinary producer that knows nothing of the platform but topic and format. */
export async function publishInteractions(
  broker: Broker,
  interactions: readonly (SentInteraction | string)[],
): Promise<void> {
  const kafka = new Kafka({ clientId: 'demo', brokers: [...broker.brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  try {
    await producer.connect();
    for (let from = 0; from < interactions.length; from += messagesPerRequest) {
      const messages = interactions
        .slice(from, from + messagesPerRequest)
        .map((each) =>
          typeof each === 'string'
            ? { key: null, value: each }
            : { key: `${each.organization_id}:${each.device_id ?? each.controller_id}`, value: JSON.stringify(each) },
        );
      await producer.send({ topic: `${broker.topicPrefix}${interactionsTopic}`, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}

/** Rows as a report has them, without its header, each with its count. */
export type Rows = Map<string, number>;

/** What is counted of an hour and its dimensions, as an analytics export names it. */
export interface HourCounts {
  pageviews: number;
  sessions: number;
  notice_displays: number;
  ui_interactions: number;
}

export interface Recount {
  /** UTC, of the last message. */
  day: string;
  interaction: Rows;
  granular: Rows;
  /** By UTC day and hour, platform, country and settings id, of whichever day. */
  hourly: Map<string, HourCounts>;
  counted: number;
  duplicates: number;
  rejected: number;
}

/**
 * Counts what the log holds by itself: of two interactions with one id the first counts, and of each device, settings id
 * and service the last decision. All of one day: that of the last message.
 */
export async function recount(broker: Broker, organization: string): Promise<Recount> {
  const log = await readLog({ brokers: broker.brokers, topic: `${broker.topicPrefix}${interactionsTopic}` });
  const day = dayOf(Math.max(...log.map(({ arrivedAt }) => arrivedAt)));
  const rows = { interaction: new Map(), granular: new Map(), hourly: new Map() };
  const result: Recount = { day, ...rows, counted: 0, duplicates: 0, rejected: 0 };
  const ids = new Set<string>();
  const decisions = new Map<string, string>();
  const sessions = new Set<string>();
  for (const message of log.toSorted(inOrder)) {
    const sent = parsed(message);
    if (sent?.organization_id !== organization) {
      result.rejected += 1;
      continue;
    }
    if (sent.id !== undefined && ids.has(sent.id)) {
      result.duplicates += 1;
      continue;
    }
    if (sent.id !== undefined) ids.add(sent.id);
    result.counted += 1;
    countHour(result, sessions, sent, message.arrivedAt);
    if (dayOf(message.arrivedAt) === day) count(result, decisions, sent);
  }
  for (const row of decisions.values()) add(result.granular, row);
  return result;
}

function inOrder(a: LoggedMessage, b: LoggedMessage): number {
  return a.arrivedAt - b.arrivedAt || a.partition - b.partition || Number(a.offset - b.offset);
}

function parsed({ value }: LoggedMessage): SentInteraction | undefined {
  try {
    return JSON.parse(String(value)) as SentInteraction;
  } catch {
    return undefined;
  }
}

function count({ day, interaction }: Recount, decisions: Map<string, string>, sent: SentInteraction): void {
  if (bannerTypes.includes(sent.type)) {
    add(interaction, [day, sent.settings_id, sent.type, sent.platform, sent.browser, sent.country].join());
  }
  for (const { template_id: id, name, consent } of sent.services ?? []) {
    const row = [day, sent.settings_id, id, name, sent.action, sent.action_type, consent].join();
    const who = sent.device_id === undefined ? `controller ${sent.controller_id}` : `device ${sent.device_id}`;
    decisions.set([who, sent.settings_id, id].join(), row);
  }
}

function countHour({ hourly }: Recount, sessions: Set<string>, sent: SentInteraction, arrivedAt: number): void {
  if (sent.type === 'DECISION') return;
  const hour = new Date(arrivedAt).getUTCHours();
  const key = [dayOf(arrivedAt), hour, sent.platform, sent.country, sent.settings_id].join();
  const counts = hourly.get(key) ?? { pageviews: 0, sessions: 0, notice_displays: 0, ui_interactions: 0 };
  hourly.set(key, counts);
  if (sent.type === 'PAGE_VIEW') counts.pageviews += 1;
  else if (sent.type === 'CMP_SHOWN') counts.notice_displays += 1;
  else if (sent.type !== 'SESSION') counts.ui_interactions += 1;
  else if (!sessions.has(`${key} ${sent.session_id}`)) {
    sessions.add(`${key} ${sent.session_id}`);
    counts.sessions += 1;
  }
}

function add(rows: Rows, row: string): void {
  rows.set(row, (rows.get(row) ?? 0) + 1);
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
