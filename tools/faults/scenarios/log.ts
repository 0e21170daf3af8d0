import { consentEventsTopic } from '@delivery/consent/schema';
import { waitFor } from '@delivery/platform/testing';
import { runCommand } from '../../admin';
import { OracleProducer, workload } from '../../oracle';
import type { Tenant } from '../load';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

type Apps = Awaited<ReturnType<Stage['startAll']>>;

/** The events' log grows, is made anew, and forgets what was not recorded yet. */
export const log: Scenario = {
  name: 'log',
  row: 'F8',
  does: 'adds partitions, makes the topic anew, and lets retention pass the recorder; nothing is skipped in silence',
  shows: { exports: 4, accounts: 7, done: ['partitions added', 'gaps by retention', 'messages lost by the log'] },
  async run(stage) {
    const apps = await stage.startAll();
    const tenants = [await stage.tenant('first', apps), await stage.tenant('second', apps)];
    const story = new LogStory(stage, apps, tenants);
    const rounds = stage.long ? 10 : 1;
    for (let round = 1; round <= rounds; round += 1) {
      await story.addPartition();
      await story.recreate(round % 2 === 1 ? 'running' : 'killed');
      await story.expire();
    }
    await story.end();
    await stage.conclude(tenants);
  },
};

/** Offsets of one partition that left the log before they were recorded: from the first, up to but not the last. */
interface Gap {
  partition: number;
  from: bigint;
  to: bigint;
}

class LogStory {
  /** How often recording began anew, of each partition; one that was added is in its first life. */
  private readonly epochs = [1, 1, 1];
  private loads = 0;

  constructor(
    private readonly stage: Stage,
    private readonly apps: Apps,
    private readonly tenants: readonly Tenant[],
  ) {
    this.load();
  }

  /** A partition more, while everything works: it is recorded from its first message. */
  async addPartition(): Promise<void> {
    const { stage } = this;
    const { world } = stage;
    const added = this.partitions;
    await stage.moment(1500);
    this.epochs.push(1);
    await world.kafka.admin.addPartitions(consentEventsTopic, this.partitions);
    stage.did('partitions added');
    await this.fill([added]);
    await world.recorded();
    const position = (await this.positions()).find(({ partition }) => partition === added);
    stage.expect((position?.recorded ?? 0n) > 0n, `nothing of partition ${added}, which was added, was recorded`);
    await this.account('a partition was added');
  }

  /**
   * The topic is deleted and made anew, while the recorder runs or with messages that no recorder has seen: they are lost.
   * Nothing of the new log is recorded until somebody has said that it is the right one.
   */
  async recreate(recorder: 'running' | 'killed'): Promise<void> {
    const { stage, apps } = this;
    const { world } = stage;
    if (recorder === 'killed') await this.killed();
    await stage.quiet();
    if (recorder === 'running') await world.recorded();
    await this.account('the last message of a log');
    const gaps = await this.unrecorded(await this.ends());
    await this.makeAnew();
    this.lose(gaps);
    this.beginAnew();
    world.forgetPlaces();
    this.load();
    await this.fill();
    const before = await world.counters();
    const up = recorder === 'killed' ? apps.record.start() : undefined;
    await this.stopped(({ partition }) => new RegExp(`partition ${partition} of ${consentEventsTopic} stopped`));
    const counters = await world.counters();
    stage.expect(counters.passed === before.passed, 'something of a log made anew was recorded unasked');
    const unasked = await this.newEpoch(0, []).then(
      () => 'it went on',
      (error: Error) => error.message,
    );
    stage.expect(
      unasked.startsWith('Say where to begin'),
      `a log made anew, and no question where to begin: ${unasked}`,
    );
    await this.goOn(['--from', 'earliest'], up);
    stage.did(`topics made anew under a ${recorder} recorder`);
    await this.account('the topic was made anew');
  }

  /** Retention removes messages that a killed recorder has not seen: their extent is told, and they only are lost. */
  async expire(): Promise<void> {
    const { stage, apps } = this;
    const { world } = stage;
    await this.killed();
    await this.fill();
    const ends = await this.ends();
    await this.account('the recorder was killed');
    const gaps: Gap[] = (await this.unrecorded(ends)).map(({ partition, from, to }) => ({
      partition,
      from,
      to: from + 1n + BigInt(Math.floor(stage.random() * Number(to - from))),
    }));
    for (const { partition, to } of gaps) await world.kafka.admin.deleteRecords(consentEventsTopic, partition, to);
    stage.did('gaps by retention', gaps.length);
    const up = apps.record.start();
    await this.stopped(({ partition }) => {
      const { from, to } = gaps.find((gap) => gap.partition === partition) ?? { from: -1n, to: -1n };
      return new RegExp(`offsets ${from} to ${to - 1n} \\(${to - from} in all\\) left the log`);
    });
    this.lose(gaps);
    this.beginAnew();
    await this.goOn([], up);
    await this.account('retention passed the recorder');
  }

  /** Ends with a recorder that has nothing left to do: the ledger knows by then which life of the log each message is of. */
  async end(): Promise<void> {
    await this.stage.quiet();
    await this.stage.world.recorded();
    await this.account('the last log');
  }

  private get partitions(): number {
    return this.epochs.length;
  }

  private readonly epochOf = (partition: number): number => this.epochs[partition] ?? 1;

  private beginAnew(): void {
    for (const [partition, epoch] of this.epochs.entries()) this.epochs[partition] = epoch + 1;
  }

  private load(): void {
    this.loads += 1;
    this.stage.load(this.tenants, { seed: this.stage.report.seed + this.loads * 1_000_003, mayBeGone: false });
  }

  private account(after: string): Promise<void> {
    return this.stage.account(`${after} (epoch ${this.epochOf(0)})`, this.epochOf);
  }

  private async killed(): Promise<void> {
    await this.stage.moment(1500);
    await this.apps.record.kill();
    this.stage.did('kills of the recorder');
    await this.fill();
  }

  /** Messages in each of these partitions, whatever their keys. */
  private async fill(partitions = Array.from({ length: this.partitions }, (_, n) => n)): Promise<void> {
    const { world } = this.stage;
    const { brokers } = world.kafka.config;
    this.loads += 1;
    const seed = this.stage.report.seed + this.loads * 1_000_003;
    const items = workload({ organization: 'first', users: 30, messages: 20 * partitions.length, seed });
    await waitFor(async () => (await this.ends()).size === this.partitions, {
      describe: 'every partition to be led',
      timeoutMs: 120_000,
    });
    const producer = await OracleProducer.connect({ brokers, topicPrefix: world.prefix }, world.ledger);
    const spread = items.map((item, n) => ({ ...item, partition: partitions[n % partitions.length] ?? 0 }));
    await producer.send(spread).finally(() => producer.disconnect());
  }

  private async makeAnew(): Promise<void> {
    const { kafka } = this.stage.world;
    await kafka.admin.deleteTopic(consentEventsTopic);
    await waitFor(async () => (await kafka.connection.topicFaults(consentEventsTopic)).length > 0, {
      describe: 'the topic to go',
      timeoutMs: 120_000,
    });
    await kafka.admin.createTopic(consentEventsTopic, this.partitions);
  }

  private async positions() {
    return (await this.stage.world.positions()).filter(({ topic }) => topic === consentEventsTopic);
  }

  private async ends(): Promise<Map<number, bigint>> {
    const found = await this.stage.world.kafka.connection.watermarks(consentEventsTopic);
    return new Map(found.map(({ partition, high }) => [partition, high]));
  }

  /** What the recorder has not passed of what was in the log. */
  private async unrecorded(ends: ReadonlyMap<number, bigint>): Promise<Gap[]> {
    const positions = await this.positions();
    return positions
      .map(({ partition, nextOffset }) => ({ partition, from: nextOffset, to: ends.get(partition) ?? nextOffset }))
      .filter(({ from, to }) => to > from);
  }

  /** Waits until every partition has stopped with its sentence, which readiness tells, too. */
  private async stopped(sentenceOf: (of: { partition: number }) => RegExp): Promise<void> {
    const allStopped = async () => {
      const positions = await this.positions();
      return positions.every(({ status }) => status === 'stopped') && positions;
    };
    const positions = await waitFor(allStopped, { describe: 'every partition to stop', timeoutMs: 180_000 });
    const ready = await readinessOf(this.apps.record);
    for (const { partition, stoppedReason = '' } of positions) {
      this.stage.expect(sentenceOf({ partition }).test(stoppedReason), `partition ${partition} says: ${stoppedReason}`);
      this.stage.expect(
        ready.status === 503 && ready.text.includes(`partition ${partition} of`),
        `readiness: ${ready.text}`,
      );
    }
  }

  /** What the sentence tells the operator to do. */
  private async goOn(from: readonly string[], up: Promise<void> | undefined): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition += 1) await this.newEpoch(partition, from);
    await up;
    await waitFor(async () => (await readinessOf(this.apps.record)).status === 200, {
      describe: 'the recorder to be ready again',
      timeoutMs: 180_000,
    });
    await this.stage.world.recorded();
  }

  private newEpoch(partition: number, from: readonly string[]): Promise<string> {
    const words = ['ingest', 'new-epoch', consentEventsTopic, String(partition), ...from];
    return runCommand(words, () => ({ ...process.env, ...this.stage.world.environment }));
  }

  /**
   * What the log lost was never there, as far as recording is concerned; what stands behind a gap belongs to the next
   * epoch.
   */
  private lose(gaps: readonly Gap[]): void {
    const { stage } = this;
    const { produced } = stage.world.ledger;
    const lostIds = new Set<unknown>();
    let lost = 0;
    for (const each of produced) {
      const kept = each.places.filter(
        ({ epoch, partition, offset }) =>
          epoch !== this.epochOf(partition) ||
          !gaps.some((gap) => gap.partition === partition && offset >= gap.from && offset < gap.to),
      );
      if (kept.length < each.places.length) lostIds.add(each.event?.id);
      lost += each.places.length - kept.length;
      each.places = kept;
      for (const place of kept) {
        const gap = gaps.find(({ partition }) => partition === place.partition);
        if (place.epoch === this.epochOf(place.partition) && gap !== undefined && place.offset >= gap.to)
          place.epoch += 1;
      }
    }
    for (const each of produced) if (each.places.length === 0 && lostIds.has(each.event?.id)) each.acknowledged = false;
    const extent = gaps.reduce((sum, { from, to }) => sum + Number(to - from), 0);
    stage.did('messages lost by the log', lost);
    stage.expect(lost === extent, `${extent} offsets left the log, and ${lost} messages stood there`);
  }
}

async function readinessOf({ url }: Member): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  return { status: answer?.status ?? 0, text: (await answer?.text()) ?? '' };
}
