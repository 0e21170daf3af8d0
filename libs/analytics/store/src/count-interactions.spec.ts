import { firstHourOf, hourStart, type Interaction } from '@delivery/analytics/domain';
import { countInteractions } from './count-interactions';

const hour = firstHourOf('2026-03-01') + 23;
const at = (interaction: Omit<Interaction, 'organization_id' | 'settings_id'>, minutes = 0, offset = 0n) => ({
  interaction: { organization_id: 'acme', settings_id: 's', ...interaction },
  arrivedAt: new Date(hourStart(hour).getTime() + minutes * 60_000),
  offset,
});
const decision = { type: 'DECISION', device_id: 'd', action: 0, action_type: 'explicit' } as const;

describe('countInteractions', () => {
  it('knows what each type counts as', () => {
    const types = ['PAGE_VIEW', 'CMP_SHOWN', 'ACCEPT_ALL_L1', 'IMPRINT_LINK', 'SESSION'] as const;
    const { hourly, daily, sessions } = countInteractions(
      types.map((type) => at({ type })),
      hour,
    );
    expect(hourly).toMatchObject([{ hour, pageviews: 1, sessions: 1, noticeDisplays: 1, uiInteractions: 2 }]);
    expect(daily.map(({ day, eventType, count }) => [day, eventType, count])).toEqual([
      ['2026-03-01', 'CMP_SHOWN', 1],
      ['2026-03-01', 'ACCEPT_ALL_L1', 1],
      ['2026-03-01', 'IMPRINT_LINK', 1],
    ]);
    expect(sessions).toEqual([]);
  });

  it('leaves sessions with an id to the database, each once an hour for its dimensions', () => {
    const session = (minutes: number, platform: string) =>
      at({ type: 'SESSION', session_id: 'one', platform }, minutes);
    const batch = [session(0, 'web'), session(1, 'web'), session(2, 'app'), session(60, 'web')];
    const { hourly, sessions } = countInteractions(batch, hour);
    expect(sessions.map((each) => [each.hour - hour, each.of.platform])).toEqual([
      [0, 'web'],
      [0, 'app'],
      [1, 'web'],
    ]);
    expect(new Set(sessions.map((each) => each.session)).size).toBe(3);
    expect(hourly.every((row) => row.sessions === 0)).toBe(true);
  });

  it('keeps what tells values apart, though joined they would be the same', () => {
    const { hourly } = countInteractions(
      [at({ type: 'PAGE_VIEW', domain: 'a', platform: 'b' }), at({ type: 'PAGE_VIEW', domain: 'ab' })],
      hour,
    );
    expect(hourly).toHaveLength(2);
  });

  it('counts into the first open hour, and its day, what came too late', () => {
    const { hourly, daily } = countInteractions([at({ type: 'SAVE' }), at({ type: 'SAVE' }, 125)], hour + 1);
    expect(hourly.map((row) => row.hour - hour)).toEqual([1, 2]);
    expect(daily).toMatchObject([{ day: '2026-03-02', count: 2 }]);
  });

  it('keeps the last decision on each service of a device, and counts it nowhere else', () => {
    const services = (...chosen: [string, 0 | 1][]) => chosen.map(([id, consent]) => ({ template_id: id, consent }));
    const { decisions, hourly, daily } = countInteractions(
      [
        at({ ...decision, services: services(['a', 1], ['constructor', 1]) }, 0, 4n),
        at({ ...decision, action: 1, services: services(['a', 1], ['b', 1], ['a', 0]) }, 1, 5n),
        at({ ...decision, device_id: null, controller_id: 'c', services: services(['a', 1]) }, 2, 6n),
      ],
      hour,
    );
    const ms = (minutes: number): number => hourStart(hour).getTime() + minutes * 60_000;
    const kept = decisions.map((each) => Object.values(each.services).map((service) => service.join(' ')));
    expect(kept).toEqual([
      [`a 1 explicit 0 ${ms(1)} 5`, `constructor 0 explicit 1 ${ms(0)} 4`, `b 1 explicit 1 ${ms(1)} 5`],
      [`a 0 explicit 1 ${ms(2)} 6`],
    ]);
    expect([hourly, daily]).toEqual([[], []]);
  });

  it('never takes a controller for a device', () => {
    const services = [{ template_id: '__proto__', consent: 1 }] as const;
    const { decisions } = countInteractions(
      [
        at({ ...decision, services }),
        at({ ...decision, device_id: '', controller_id: 'd', services }),
        at({ ...decision, device_id: null, controller_id: 'd', action_type: 'IMPLICIT', services }),
        at({ ...decision, device_id: null, controller_id: 'e', services }),
      ],
      hour,
    );
    expect(decisions.map(({ items }) => items.length)).toEqual([1, 2, 1]);
    expect(decisions.map((each) => Object.entries(each.services)[0]?.[1][2])).toEqual([
      'explicit',
      'implicit',
      'explicit',
    ]);
  });
});
