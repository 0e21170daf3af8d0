import { setTimeout as delay } from 'node:timers/promises';
import { type Outgoing, workload } from '../oracle';
import type { Answer, CreatedExport, Customer, World } from '../world';

/** An organization that keeps the platform busy, and the exports it keeps asking for. */
export interface Tenant {
  customer: Customer;
  exports: CreatedExport[];
}

export interface LoadOptions {
  seed: number;
  /** Messages of one round through Kafka. */
  messages?: number;
  /** Milliseconds between rounds, requests and requests for runs. */
  kafkaMs?: number;
  restMs?: number;
  runMs?: number;
  /** Whether nobody may answer at times, because services are killed. */
  mayBeGone?: boolean;
}

const noConnection = 'no connection';
const comeBack = '503 with Retry-After';
const closedConnection = ['UND_ERR_SOCKET', 'ECONNRESET'];
const perArray = 10;
const USERS = 60;
/** After so many rounds of messages other users come. */
const ROUNDS_OF_USERS = 40;
/** Every so many rounds one of each kind of poison is among the messages. */
const poisonEvery = 40;

/**
 * Keeps producing through Kafka and REST and keeps requesting runs, whatever becomes of it: what fails is sent again, as
 * a client does, and the ledger knows what was acknowledged. Events over REST carry ids, so that sending them again is safe.
 */
export class Load {
  /** How requests were answered: `200`, `503 with Retry-After`, `no connection`, ... */
  readonly answers: Record<string, number> = {};
  /** Rounds of messages that Kafka acknowledged, and that it did not. */
  acknowledged = 0;
  refused = 0;
  private readonly stopped = new AbortController();
  private readonly running: Promise<unknown>;
  private previous: Outgoing[] = [];

  constructor(
    private readonly world: World,
    private readonly tenants: readonly Tenant[],
    private readonly options: LoadOptions,
  ) {
    const { kafkaMs = 150, restMs = 50, runMs = 700 } = options;
    const loops = [
      this.repeat(kafkaMs, (tenant, n) => this.publish(tenant, n)),
      this.repeat(restMs, (tenant, n) => this.post(tenant, n)),
      this.repeat(runMs, (tenant, n) => this.execute(tenant, n)),
    ];
    this.running = Promise.all(loops);
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  /** Requests that were answered so. */
  get toldToComeBack(): number {
    return this.answers[comeBack] ?? 0;
  }

  /** Requests that were answered with success. */
  get accepted(): number {
    return (this.answers['200'] ?? 0) + (this.answers['202'] ?? 0);
  }

  /** Answers that a client should not have met: neither success nor "come back later". */
  get unexpected(): string[] {
    const expected = /^(2\d\d|503 with Retry-After|409)$/;
    const names = Object.keys(this.answers).filter((answer) => !expected.test(answer));
    return this.options.mayBeGone ? names.filter((answer) => !answer.startsWith(noConnection)) : names;
  }

  private async repeat(everyMs: number, step: (tenant: Tenant, n: number) => Promise<void>): Promise<void> {
    for (let n = 0; !this.stopped.signal.aborted; n += 1) {
      const tenant = this.tenants[n % this.tenants.length];
      if (tenant !== undefined) await step(tenant, n);
      await delay(everyMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }

  private async publish({ customer }: Tenant, n: number): Promise<void> {
    const { seed, messages = 40 } = this.options;
    const poison = n % poisonEvery === 5;
    const fresh = workload({
      organization: customer.id,
      users: USERS,
      // Events from long ago change all that their user did since: people do not do that for thousands of events.
      firstUser: USERS * Math.floor(n / ROUNDS_OF_USERS),
      messages: poison ? messages + 18 : messages,
      seed: seed * 100_003 + n,
      guests: 0.1,
      poison,
    });
    // Now and then a producer that does not know what became of its last messages sends them again.
    try {
      await this.world.publish(n % 5 === 0 ? [...this.previous, ...fresh] : fresh);
      this.acknowledged += 1;
    } catch {
      this.refused += 1;
      await delay(200);
    }
    this.previous = fresh.filter((item) => 'event' in item).slice(0, 5);
  }

  private async post({ customer }: Tenant, n: number): Promise<void> {
    const event = (id: string) => ({
      id,
      user: { organization_user_id: `rest-${n % 30}` },
      consents: { purposes: [{ id: 'cookies', enabled: n % 2 === 0 }], tcfcs: `CP${id}` },
    });
    const many = n % 4 === 3;
    const events = Array.from({ length: many ? perArray : 1 }, (_, k) => event(`rest-${this.options.seed}-${n}-${k}`));
    for (let tries = 0; tries < 3; tries += 1) {
      const status = await this.count(() => (many ? customer.postAll(events) : customer.post(events[0] ?? {})));
      if (status !== undefined && status < 300) return;
      await delay(250);
    }
  }

  private async execute({ customer, exports }: Tenant, n: number): Promise<void> {
    const exported = exports[Math.floor(n / this.tenants.length) % exports.length];
    if (exported === undefined) return;
    const body = { organization_id: customer.id, export_id: exported.id };
    await this.count(() => customer.send('POST', '/v1/exports/execute', body));
  }

  /** A service may close a connection that was idle in the moment it is used again: that is no answer yet. */
  private async count(send: () => Promise<Answer>): Promise<number | undefined> {
    const request = send().catch((error: Error) => {
      if (closedConnection.includes(reasonOf(error))) return send();
      throw error;
    });
    const name = await request.then(nameOf, (error: Error) => `${noConnection} (${reasonOf(error)})`);
    this.answers[name] = (this.answers[name] ?? 0) + 1;
    return (await request.catch(() => undefined))?.status;
  }
}

/** Of an error of `fetch`: what is below says more. */
function reasonOf({ name, cause }: Error): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : name;
}

function nameOf({ status, retryAfter }: Answer): string {
  return status === 503 ? `503 ${retryAfter === undefined ? 'without' : 'with'} Retry-After` : String(status);
}
