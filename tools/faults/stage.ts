import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { randomSource } from '../bench/generator';
import { expectedCounts, type Produced } from '../oracle';
import type { ServiceName } from '../services';
import { type CreatedExport, Customer, World } from '../world';
import { Load, type LoadOptions, type Tenant } from './load';
import { Member } from './member';
import { addVerdict, type Report } from './report';
import type { Servers } from './servers';
import { BucketWatch } from './watch';

/** Services that look for work by themselves, and soon give up what they cannot finish. */
const restless: Partial<Record<ServiceName, Record<string, string>>> = {
  'consent-ingest': { INGEST_BATCH_SIZE: '200', KAFKA_SESSION_TIMEOUT_MS: '6000' },
  scheduler: { SCHEDULER_TICK_SECONDS: '1', SCHEDULER_NUDGE_SECONDS: '5', EXPORT_MAX_TRIES: '100' },
  'exporter-s3': {
    EXPORT_POLL_SECONDS: '1',
    EXPORT_LEASE_SECONDS: '3',
    EXPORT_RETRY_BASE_SECONDS: '1',
    EXPORT_MAX_TRIES: '100',
  },
  'exporter-gcs': {
    EXPORT_POLL_SECONDS: '1',
    EXPORT_LEASE_SECONDS: '3',
    EXPORT_RETRY_BASE_SECONDS: '1',
    EXPORT_MAX_TRIES: '100',
  },
};

/** What a scenario plays on: a platform of its own, means to break it, and the oracle that says what became of it. */
export class Stage {
  readonly random: () => number;
  private readonly members: Member[] = [];
  private readonly loads: Load[] = [];
  private readonly lost = new Set<Produced>();
  /** One at a time: each reads on where the last one ended. */
  private accounting = Promise.resolve();
  private readonly bucketWatch = new BucketWatch();
  private closed = false;

  private constructor(
    readonly servers: Servers,
    readonly world: World,
    readonly report: Report,
  ) {
    this.random = randomSource(report.seed);
  }

  static async open(servers: Servers, report: Report): Promise<Stage> {
    return new Stage(servers, await World.open({ reach: servers.throughProxies }), report);
  }

  /** Whether there is time: many repetitions, long outages. */
  get long(): boolean {
    return this.report.form === 'long';
  }

  /** Counts something that was done; the report lists it. */
  did(what: string, times = 1): void {
    this.report.done[what] = Number(((this.report.done[what] ?? 0) + times).toFixed(1));
  }

  /** Tells what does not hold. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.report.wrong.push(otherwise);
  }

  /** Waits for any time up to so many milliseconds: a fault comes whenever it comes. */
  async moment(atMostMs: number): Promise<void> {
    if (this.closed) throw new Error('The story is over.');
    await delay(Math.floor(this.random() * atMostMs));
  }

  /** The same things in any order. */
  shuffled<T>(things: readonly T[]): T[] {
    const order = things.map((thing) => ({ thing, at: this.random() }));
    return order.sort((a, b) => a.at - b.at).map(({ thing }) => thing);
  }

  /** Starts a replica of a service. One that ends by itself is told as wrong. */
  async start(name: ServiceName, environment: Record<string, string> = {}): Promise<Member> {
    const member = await Member.start(this.world, name, { ...restless[name], ...environment }, (how) =>
      this.expect(false, how),
    );
    this.members.push(member);
    return member;
  }

  /** One replica of each service, REST and recorder of consent-ingest apart. */
  async startAll(): Promise<Record<'accept' | 'record' | 'api' | 'scheduler' | 's3' | 'gcs', Member>> {
    const [accept, record, api, scheduler, s3, gcs] = await Promise.all([
      this.start('consent-ingest', { INGEST_ROLES: 'accept' }),
      this.start('consent-ingest', { INGEST_ROLES: 'record' }),
      this.start('integrations-api'),
      this.start('scheduler'),
      this.start('exporter-s3'),
      this.start('exporter-gcs'),
    ]);
    return { accept, record, api, scheduler, s3, gcs };
  }

  /** An organization with its key, signed in. */
  async customer(id: string, at: { api: Member; accept?: Member }): Promise<Customer> {
    const ingest = at.accept?.url;
    const urls = { api: at.api.url, ...(ingest !== undefined && { ingest }) };
    return Customer.signIn(this.world, await this.world.organization(id), urls);
  }

  /** An organization with an export to S3 and one to GCS. Its buckets are watched from now on. */
  async tenant(id: string, at: { api: Member; accept: Member }): Promise<Tenant> {
    const customer = await this.customer(id, at);
    const bucket = `${id}-${this.world.prefix.slice(0, -1)}`;
    const exports = [await customer.exportToS3(), await customer.exportToGcs(bucket)];
    for (const exported of exports) this.watch(exported);
    return { customer, exports };
  }

  /** Looks for partial files beside a `_SUCCESS` from now on, all the time. */
  watch(exported: CreatedExport): void {
    this.bucketWatch.watch(exported);
  }

  /** Keeps the platform busy until {@link conclude}, or until it is stopped. */
  load(tenants: readonly Tenant[], options: Partial<LoadOptions> = {}): Load {
    const load = new Load(this.world, tenants, { seed: this.report.seed, ...options });
    this.loads.push(load);
    return load;
  }

  /**
   * Rule 9, at this moment: every offset passed is in exactly one counter, and the counters are those of the producers'
   * ledger. To be called after every fault.
   */
  account(after: string, epochOf?: (partition: number) => number): Promise<void> {
    this.accounting = this.accounting.then(() => this.takeAccount(after, epochOf));
    return this.accounting;
  }

  private async takeAccount(after: string, epochOf?: (partition: number) => number): Promise<void> {
    const { counts, passed, positions } = await this.world.account();
    const { ledger } = this.world;
    const { acknowledged } = ledger;
    await this.world.locate(epochOf);
    const expected = expectedCounts(ledger, positions, passed);
    const { strangers } = ledger;
    const sum = Object.values(counts).reduce((total, count) => total + count, 0);
    const ok = sum === passed && isDeepStrictEqual(counts, expected) && strangers === 0;
    this.report.accounts.push({ after, counts, passed, ok });
    this.expect(ok, `after ${after} the ledger says ${JSON.stringify({ ...expected, passed, strangers })}`);
    for (const produced of ledger.forgotten(acknowledged)) {
      if (this.lost.has(produced)) continue;
      this.lost.add(produced);
      this.report.verdict.lost += 1;
      this.expect(false, `lost: ${produced.event?.id} was accepted and is not in the log`);
    }
  }

  /** What the oracle says of all that was delivered to an export so far; the ledger must know its places. */
  async judge(customer: Customer, exported: CreatedExport): Promise<void> {
    addVerdict(this.report, await customer.verdict(exported));
  }

  /** Counts the state that each run of an export ended in: in the end each is delivered. */
  async ends(customer: Customer, exported: CreatedExport): Promise<void> {
    for (const { id, result, state } of await customer.allLogs(exported)) {
      this.report.runs[state] = (this.report.runs[state] ?? 0) + 1;
      this.expect(state === 'completed', `run ${id} is ${state}: ${result ?? 'it does not say why'}`);
    }
  }

  /** The end of a story under load: all is recorded, accounted for, delivered and judged. */
  async conclude(tenants: readonly Tenant[]): Promise<void> {
    await this.quiet();
    // A recorder that was away half of the time has much to catch up with.
    await this.world.recorded(this.long ? 900_000 : 240_000);
    await this.account('the last fault, at the end of the log');
    for (const { customer, exports } of tenants) {
      for (const exported of exports) {
        await customer.settled(exported, this.long ? 600_000 : 240_000);
        await customer.deliver(exported);
        await this.judge(customer, exported);
        await this.ends(customer, exported);
      }
    }
    this.did('messages', this.world.ledger.produced.length);
  }

  /** Ends the load. */
  async quiet(): Promise<void> {
    for (const load of this.loads.splice(0)) {
      await load.stop();
      for (const [answer, times] of Object.entries(load.answers)) this.did(`answered ${answer}`, times);
      this.did('rounds that Kafka took', load.acknowledged);
      if (load.refused > 0) this.did('rounds that Kafka did not take', load.refused);
      this.expect(load.acknowledged > 0, 'Kafka took no round of messages');
      for (const answer of load.unexpected) this.expect(false, `a client was answered ${answer}`);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const member of this.members) member.abandon();
    await Promise.all(this.loads.map((load) => load.stop()));
    await this.bucketWatch.stop();
    const { looks, failedLooks, watching } = this.bucketWatch;
    if (watching) this.did('looks at buckets', looks);
    if (failedLooks > 0) this.did('looks that the store did not answer', failedLooks);
    this.expect(!watching || looks > 0, 'no reader has seen a bucket');
    for (const fault of this.bucketWatch.found) this.expect(false, `seen by a reader: ${fault}`);
    await this.world.close();
  }
}
