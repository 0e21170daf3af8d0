import type { Interaction } from '@delivery/analytics/domain';
import { isBanner } from './random-interactions';

/** An interaction that was recorded, in the order in which it was. */
export interface Seen {
  readonly interaction: Interaction;
  readonly partition: number;
  readonly offset: number;
  readonly arrivedAt: Date;
}

/**
 * Counts what the platform should have counted, from the interactions alone: another way to the same numbers. Rows are
 * texts, values divided by `|`, sorted.
 */
export function recount(seen: readonly Seen[]) {
  const fresh = withoutRepetitions(seen);
  const ids = fresh.flatMap(({ interaction: { organization_id: organization, id } }) =>
    id ? [`${organization}/${id}`] : [],
  );
  return {
    duplicates: seen.length - fresh.length,
    /** Counted although their id was known, from more than a day away. */
    again: ids.length - new Set(ids).size,
    metrics: metricsOf(fresh),
    daily: dailyOf(fresh),
    granular: granularOf(fresh),
  };
}

function withoutRepetitions(seen: readonly Seen[]): Seen[] {
  const counted: Record<string, number> = {};
  return seen.filter(({ interaction: { organization_id: organization, id }, arrivedAt }) => {
    if (!id) return true;
    const key = `${organization}/${id}`;
    const before = counted[key];
    if (before !== undefined && Math.abs(before - arrivedAt.getTime()) < 86_400_000) return false;
    counted[key] = Math.max(before ?? 0, arrivedAt.getTime());
    return true;
  });
}

const hourOf = (at: Date): string => at.toISOString().slice(0, 13);
const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** organization | hour | settings | domain | platform | device type | country | regulation | views | sessions | displays | others */
function metricsOf(seen: readonly Seen[]): string[] {
  const groups = Object.groupBy(
    seen.filter(({ interaction }) => interaction.type !== 'DECISION'),
    ({ interaction: i, arrivedAt }) =>
      [
        i.organization_id,
        hourOf(arrivedAt),
        i.settings_id,
        i.domain,
        i.platform,
        i.device_type,
        i.country,
        i.regulation,
      ]
        .map((value) => value ?? '')
        .join('|'),
  );
  return Object.entries(groups)
    .map(([key, members = []]) => {
      const of = (wanted: (type: string) => boolean) => members.filter(({ interaction: { type } }) => wanted(type));
      const sessions = of((type) => type === 'SESSION').map(({ interaction }, n) => interaction.session_id ?? n);
      const banner = members.filter(({ interaction: { type } }) => isBanner(type));
      const shown = of((type) => type === 'CMP_SHOWN').length;
      return [
        key,
        of((type) => type === 'PAGE_VIEW').length,
        new Set(sessions).size,
        shown,
        banner.length - shown,
      ].join('|');
    })
    .sort();
}

/** organization | day | settings | type | platform | browser | country | count */
function dailyOf(seen: readonly Seen[]): string[] {
  const keys = seen
    .filter(({ interaction: { type } }) => isBanner(type))
    .map(({ interaction: i, arrivedAt }) =>
      [i.organization_id, dayOf(arrivedAt), i.settings_id, i.type, i.platform, i.browser, i.country]
        .map((value) => value ?? '')
        .join('|'),
    );
  return countOf(keys);
}

/** organization | day | settings | template | service | action | action type | consent | devices */
function granularOf(seen: readonly Seen[]): string[] {
  const inOrder = [...seen].sort(
    (a, b) => a.arrivedAt.getTime() - b.arrivedAt.getTime() || a.partition - b.partition || a.offset - b.offset,
  );
  const last: Record<string, string> = {};
  for (const { interaction: i, arrivedAt } of inOrder) {
    if (i.type !== 'DECISION') continue;
    for (const { template_id: template, name, consent } of i.services ?? []) {
      const where = [i.organization_id, dayOf(arrivedAt), i.settings_id, template].join('|');
      const who = i.device_id ? `device ${i.device_id}` : `controller ${i.controller_id}`;
      const how = i.action_type === 'explicit' || i.action_type === 'EXPLICIT' ? 'explicit' : 'implicit';
      last[`${where} of ${who}`] = [where, name ?? template, i.action, how, consent].join('|');
    }
  }
  return countOf(Object.values(last));
}

function countOf(keys: readonly string[]): string[] {
  const groups = Object.groupBy(keys, (key) => key);
  return Object.entries(groups)
    .map(([key, members = []]) => `${key}|${members.length}`)
    .sort();
}
