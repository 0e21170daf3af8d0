import { type Interaction, INTERACTION_TYPES, type InteractionType } from '@delivery/analytics/domain';

/** Numbers that look random, and are the same for a seed. */
export class Dice {
  constructor(private state: number) {}

  /** In `[0, 1)` (mulberry32). */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.roll() * limit);
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to choose from');
    return value;
  }
}

/** Three times of five. */
function sometimes<T>(dice: Dice, value: T): T | null {
  return dice.below(5) < 3 ? value : null;
}

export const organizations = ['acme', 'zeta'];

/** Of every type, few of everything, so that much falls together; every value may be missing where it may be. */
export function randomInteraction(dice: Dice): Interaction {
  const maybe = <T>(value: T) => sometimes(dice, value);
  const type = dice.of([...INTERACTION_TYPES, 'DECISION', 'DECISION', 'SESSION', 'SESSION', 'PAGE_VIEW'] as const);
  return {
    organization_id: dice.of(organizations),
    id: maybe(`id-${dice.below(1500)}`),
    type,
    settings_id: dice.of(['s1', 's2']),
    device_id: maybe(`d${dice.below(12)}`),
    session_id: maybe(`session-${dice.below(6)}`),
    platform: maybe(dice.of(['web', 'app'])),
    device_type: maybe('mobile'),
    domain: maybe('shop.example.org'),
    country: maybe(dice.of(['FR', 'DE'])),
    browser: maybe(dice.of(['bot', 'firefox', 'a "quoted\\" one, 🍪'])),
    regulation: maybe('gdpr'),
    ...(type === 'DECISION' && decisionOf(dice)),
  };
}

function decisionOf(dice: Dice): Partial<Interaction> {
  const service = () => ({
    template_id: dice.of(['t1', 't2', 't3', 'constructor', '__proto__']),
    name: sometimes(dice, dice.of(['Maps', 'Größe "x"'])),
    consent: dice.of([0, 1] as const),
  });
  return {
    // Called as devices are, and none of them.
    controller_id: `d${dice.below(12)}`,
    action: dice.below(9),
    action_type: dice.of(['explicit', 'implicit', 'EXPLICIT', 'IMPLICIT'] as const),
    services: Array.from({ length: 1 + dice.below(3) }, service),
  };
}

export const isBanner = (type: InteractionType): boolean => !['PAGE_VIEW', 'SESSION', 'DECISION'].includes(type);
