/** A deterministic source of pseudo-random numbers in [0, 1) (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface GeneratorOptions {
  organization: string;
  users: number;
  /** The number of the first of them; 0 if not given. */
  firstUser?: number;
  seed?: number;
  /** Client time of the first event, milliseconds since 1970 UTC; events follow one per `stepMs`. */
  startAt?: number;
  stepMs?: number;
  /** Share of events whose client time lies up to an hour before their neighbours'. */
  outOfOrder?: number;
  /** Share of events of users the customer has no id for, seen by an SDK only. */
  guests?: number;
}

const purposeIds = 'ads cookies geo news chat social shop stats 1 2 3 4 5 6 7 8 9 10 sf1 sf2'.split(' ');
const vendorIds = Array.from({ length: 60 }, (_, i) =>
  i % 10 ? `${(i * 379) % 1009}` : `c:v${(i * 2_654_435_761) % 9973}`,
);
const countries = ['FR', 'DE', 'ES', 'IT', 'NL', 'PL', 'SE', 'BE'];
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Endless realistic consent events of about 1.4 kB in the wire shape of `consent.events.v1`: 20 purposes, 30 vendors, a
 * TCF-like string, metadata; badly compressible (gzip -1 about 4:1). The same options, `startAt` among them, give the
 * same events.
 */
export function* consentEvents(options: GeneratorOptions) {
  const random = randomSource(options.seed ?? 1);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  const stepMs = options.stepMs ?? 5;
  const startAt = options.startAt ?? Date.now() - 3_600_000;
  for (let n = 0; ; n += 1) {
    const which = Math.floor(random() * options.users);
    const guest = which < options.users * (options.guests ?? 0);
    const user = (options.firstUser ?? 0) + which;
    const late = random() < (options.outOfOrder ?? 0) ? Math.floor(random() * 3_600_000) : 0;
    const vendors = vendorIds.slice(Math.floor(random() * 30)).slice(0, 30);
    const agreed = new Set(vendors.filter(() => random() < 0.6));
    yield {
      id: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
      organization_id: options.organization,
      created_at: new Date(startAt + n * stepMs - late).toISOString(),
      source: guest || random() < 0.7 ? 'sdk-web' : 'sdk-mobile',
      user: {
        id: `${options.organization}-user-${user}`,
        ...(!guest && { organization_user_id: `customer-${user}@example.com`, organization_user_id_type: 'email' }),
        last_seen_country: pick(countries),
        metadata: { plan: random() < 0.2 ? 'plus' : 'free' },
      },
      consents: {
        purposes: purposeIds.map((id) => ({
          id,
          enabled: random() < 0.6,
          ...(random() < 0.05 && { enabled_li: random() < 0.8 }),
        })),
        vendors: { enabled: vendors.filter((id) => agreed.has(id)), disabled: vendors.filter((id) => !agreed.has(id)) },
        tcfcs: `CP${Array.from({ length: 190 }, () => alphabet[Math.floor(random() * 64)]).join('')}`,
      },
      metadata: {
        session: hex(16),
        page: `/${pick(['home', 'shop', 'blog', 'account'])}/${Math.floor(random() * 1e6)}`,
      },
    };
  }
}

export type GeneratedEvent = ReturnType<typeof consentEvents> extends Generator<infer E> ? E : never;

/** The first `count` of a generator. */
export function take<T>(events: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => events.next().value as T);
}
