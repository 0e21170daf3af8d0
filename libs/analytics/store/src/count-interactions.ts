import { BANNER_TYPES, dayOf, hourOf, type Interaction, type InteractionType } from '@delivery/analytics/domain';
import { digest, type InteractionToRecord } from './interaction';

/** What hourly metrics are counted by; `''` where it is not known. */
export interface Dimensions {
  readonly settingsId: string;
  readonly domain: string;
  readonly platform: string;
  readonly deviceType: string;
  readonly country: string;
  readonly regulation: string;
}

export interface HourlyCount extends Dimensions {
  readonly organizationId: string;
  readonly hour: number;
  pageviews: number;
  sessions: number;
  noticeDisplays: number;
  uiInteractions: number;
}

export interface DailyCount {
  readonly organizationId: string;
  readonly day: string;
  readonly settingsId: string;
  readonly eventType: string;
  readonly platform: string;
  readonly browser: string;
  readonly country: string;
  count: number;
}

/** A session that counts in its row if it was not seen in this hour before. */
export interface Session {
  readonly organizationId: string;
  readonly hour: number;
  /** Of the session's id, its organization, hour and dimensions. */
  readonly session: string;
  readonly of: HourlyCount;
}

/** What was decided on a device that day, by service. */
export interface Decision {
  readonly organizationId: string;
  readonly day: string;
  readonly settingsId: string;
  readonly device: string;
  /** As the column `services` of `interaction_decision` has it. */
  readonly services: Record<string, readonly (string | number)[]>;
  /** The interactions that it is made of, in their order. */
  readonly items: InteractionToRecord[];
}

/** What a batch adds to the rollups. */
export interface InteractionCounts {
  readonly hourly: readonly HourlyCount[];
  readonly daily: readonly DailyCount[];
  /** Not counted in their rows yet: whether they are new, the database knows. */
  readonly sessions: readonly Session[];
  readonly decisions: readonly Decision[];
}

const bannerTypes: ReadonlySet<string> = new Set(BANNER_TYPES);

/**
 * Counts a batch of one partition, given in the order of its log.
 * @param openHour - the first hour that may be counted into: where all that arrived before belongs, too
 */
export function countInteractions(batch: readonly InteractionToRecord[], openHour: number): InteractionCounts {
  const counting = new Counting();
  for (const item of batch) counting.add(item, Math.max(openHour, hourOf(item.arrivedAt)));
  return counting.counts();
}

class Counting {
  private readonly hourly = new Map<string, HourlyCount>();
  private readonly daily = new Map<string, DailyCount>();
  private readonly sessions = new Map<string, Session>();
  private readonly decisions = new Map<string, Decision>();
  private readonly days = new Map<number, string>();

  add(item: InteractionToRecord, hour: number): void {
    const { interaction } = item;
    const { type } = interaction;
    if (type === 'DECISION') return this.decide(item, this.dayOf(hour));
    const row = this.hourlyRow(interaction, hour);
    count(row, type);
    if (type === 'SESSION') this.addSession(row, interaction.session_id);
    if (bannerTypes.has(type)) this.dailyRow(interaction, this.dayOf(hour)).count += 1;
  }

  counts(): InteractionCounts {
    const [hourly, daily] = [[...this.hourly.values()], [...this.daily.values()]];
    return { hourly, daily, sessions: [...this.sessions.values()], decisions: [...this.decisions.values()] };
  }

  private dayOf(hour: number): string {
    const known = this.days.get(hour);
    if (known !== undefined) return known;
    const day = dayOf(hour);
    this.days.set(hour, day);
    return day;
  }

  private hourlyRow(interaction: Interaction, hour: number): HourlyCount {
    const { organization_id: organizationId, settings_id: settingsId } = interaction;
    const { domain, platform, device_type: deviceType, country, regulation } = interaction;
    const key = `${organizationId}\n${hour}\n${settingsId}\n${domain ?? ''}\n${platform ?? ''}\n${deviceType ?? ''}\n${country ?? ''}\n${regulation ?? ''}`;
    const known = this.hourly.get(key);
    if (known !== undefined) return known;
    const row: HourlyCount = {
      organizationId,
      hour,
      settingsId,
      domain: domain ?? '',
      platform: platform ?? '',
      deviceType: deviceType ?? '',
      country: country ?? '',
      regulation: regulation ?? '',
      pageviews: 0,
      sessions: 0,
      noticeDisplays: 0,
      uiInteractions: 0,
    };
    this.hourly.set(key, row);
    return row;
  }

  private dailyRow(interaction: Interaction, day: string): DailyCount {
    const { organization_id: organizationId, settings_id: settingsId, type: eventType } = interaction;
    const [platform, browser, country] = [
      interaction.platform ?? '',
      interaction.browser ?? '',
      interaction.country ?? '',
    ];
    const key = `${organizationId}\n${day}\n${settingsId}\n${eventType}\n${platform}\n${browser}\n${country}`;
    const known = this.daily.get(key);
    if (known !== undefined) return known;
    const row = { organizationId, day, settingsId, eventType, platform, browser, country, count: 0 };
    this.daily.set(key, row);
    return row;
  }

  private addSession(of: HourlyCount, sessionId: string | null | undefined): void {
    if (sessionId === null || sessionId === undefined) {
      of.sessions += 1;
      return;
    }
    const { organizationId, hour } = of;
    const { settingsId, domain, platform, deviceType, country, regulation } = of;
    const dimensions = [settingsId, domain, platform, deviceType, country, regulation];
    const session = digest(organizationId, String(hour), sessionId, ...dimensions);
    this.sessions.set(session, { organizationId, hour, session, of });
  }

  private decide(item: InteractionToRecord, day: string): void {
    const { organization_id: organizationId, settings_id: settingsId } = item.interaction;
    const { device_id: deviceId, controller_id: controllerId } = item.interaction;
    const device = deviceId ? digest('device', deviceId) : digest('controller', controllerId ?? '');
    const key = `${organizationId}\n${day}\n${settingsId}\n${device}`;
    let decision = this.decisions.get(key);
    if (decision === undefined) {
      decision = decisionOf({ organizationId, day, settingsId, device });
      this.decisions.set(key, decision);
    }
    decide(decision, item);
  }
}

/** Nothing decided yet. */
export function decisionOf(of: Omit<Decision, 'services' | 'items'>): Decision {
  // Without a prototype: whatever a service is called is a key like any other.
  return { ...of, services: Object.create(null), items: [] };
}

/** What is decided later replaces what was decided before. */
export function decide({ services: decided, items }: Decision, item: InteractionToRecord): void {
  const { action, action_type: actionType, services } = item.interaction;
  const [at, place] = [item.arrivedAt.getTime(), Number(item.offset)];
  for (const { template_id: id, name, consent } of services ?? []) {
    decided[id] = [name ?? id, action ?? 0, actionType?.toLowerCase() ?? '', consent, at, place];
  }
  items.push(item);
}

function count(row: HourlyCount, type: Exclude<InteractionType, 'DECISION'>): void {
  switch (type) {
    case 'PAGE_VIEW':
      row.pageviews += 1;
      break;
    case 'SESSION':
      break; // once per session
    case 'CMP_SHOWN':
      row.noticeDisplays += 1;
      break;
    default:
      row.uiInteractions += 1;
  }
}
