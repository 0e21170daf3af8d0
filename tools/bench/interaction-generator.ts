import type { BannerType, Interaction } from '@delivery/analytics/domain';
import { randomSource } from './generator';

export interface InteractionOptions {
  organizations: readonly string[];
  devices: number;
  /** Whether each has an id of its own: then the platform looks for repetitions. */
  ids: boolean;
  seed?: number;
}

const countries = 'FR DE ES IT NL PL SE BE AT CH PT IE DK FI NO CZ GR HU RO US'.split(' ');
const browsers = ['chrome', 'safari', 'firefox', 'edge', 'bot'];
const choices: readonly BannerType[] = [
  'ACCEPT_ALL_L1',
  'ACCEPT_ALL_L1',
  'DENY_ALL_L1',
  'SAVE_L2',
  'MORE_INFORMATION_LINK',
];
const services = Array.from({ length: 12 }, (_, n) => ({ template_id: `HkocEodjb${n}`, name: `Service number ${n}` }));

/**
 * Endless visits to five sites of each organization: a session, two page views, mostly a banner, and often a choice with
 * the decision on twelve services. Most visitors come from few countries. The same options give the same interactions,
 * with and without ids.
 */
export function* interactionsOf({ organizations, devices, ids, seed = 1 }: InteractionOptions): Generator<Interaction> {
  const random = randomSource(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const hex = () =>
    below(2 ** 32)
      .toString(16)
      .padStart(8, '0');
  for (;;) {
    const site = below(5);
    const app = random() < 0.2;
    const visitor = {
      organization_id: pick(organizations),
      settings_id: `settings-${site}`,
      device_id: `device-${below(devices)}`,
      session_id: `${hex()}-${hex()}`,
      platform: app ? 'app' : 'web',
      device_type: app || random() < 0.5 ? 'mobile' : 'desktop',
      domain: app ? `com.example.site${site}` : `site${site}.example.org`,
      country: countries[Math.floor(countries.length * random() ** 3)] ?? 'FR',
      browser: app ? null : pick(browsers),
      regulation: 'gdpr',
      created_at: new Date(1_767_225_600_000 + below(1e9)).toISOString(),
    };
    for (const done of visit(random, pick)) {
      const id = `${hex()}-${hex()}-${hex()}`;
      yield { ...visitor, ...(ids && { id }), ...done };
    }
  }
}

function* visit(random: () => number, pick: <T>(list: readonly T[]) => T): Generator<Pick<Interaction, 'type'>> {
  yield { type: 'SESSION' };
  yield { type: 'PAGE_VIEW' };
  if (random() < 0.6) {
    yield { type: 'CMP_SHOWN' };
    if (random() < 0.6) {
      yield { type: pick(choices) };
      const decided = services.map((service) => ({
        ...service,
        consent: random() < 0.7 ? (1 as const) : (0 as const),
      }));
      const decision = { action: 0, action_type: 'explicit', services: decided } as const;
      if (random() < 0.9) yield { type: 'DECISION', ...decision };
    }
  }
  yield { type: 'PAGE_VIEW' };
}
