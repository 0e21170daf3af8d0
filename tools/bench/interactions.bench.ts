import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { interactionRecorderName, interactions as topic, interactionsTopic } from '@delivery/analytics/schema';
import { PositionStore } from '@delivery/ingest/store';
import { contest, type Measured } from './contest';
import { take } from './generator';
import { interactionsOf } from './interaction-generator';
import { postgresCpuSeconds, processUsage } from './measure';
import { openRig, type Rig, startApp, stopApp } from './rig';

export interface InteractionsBenchOptions {
  events: number;
  /** Of whom each has a device. */
  users: number;
  partitions: number;
  runs: number;
}

const organizations = ['acme', 'beta', 'zeta'];

/** P3: interactions already in the log, recorded and rolled up by one analytics-aggregator into an empty database. */
export async function benchInteractions(options: InteractionsBenchOptions) {
  const contenders = [
    { name: 'consent-delivery, each with an id', run: () => recordOnce(options, true) },
    { name: 'consent-delivery, none with an id', run: () => recordOnce(options, false) },
  ];
  return { benchmark: 'P3 interactions', options, contenders: await contest(contenders, options) };
}

async function recordOnce(options: InteractionsBenchOptions, ids: boolean): Promise<Measured> {
  const rig = await openRig(options.partitions);
  const folder = await mkdtemp(join(tmpdir(), 'bench-reports-'));
  try {
    for (const organization of organizations) {
      await rig.database.query(`INSERT INTO organization (organization_id, name) VALUES ($1, $1)`, [organization]);
    }
    await publish(rig, options, ids);
    const environment = { ...rig.environment, REPORT_STORE_KIND: 'file', REPORT_STORE_DIR: folder };
    const app = await startApp('analytics-aggregator', environment, 18_085);
    const now = async () => ({
      at: performance.now(),
      recorded: await recordedNow(rig),
      cpu: processUsage(app.pid ?? 0).cpuSeconds,
      postgres: await postgresCpuSeconds(rig.database),
    });
    // The clock starts when the first batch is in: start-up is P8's business.
    while ((await recordedNow(rig)) === 0) await delay(10);
    const began = await now();
    while ((await recordedNow(rig)) < options.events) await delay(20);
    const ended = await now();
    const { peakRssMb } = processUsage(app.pid ?? 0);
    await stopApp(app);
    const share = options.events / (ended.recorded - began.recorded);
    return {
      seconds: ((ended.at - began.at) / 1000) * share,
      cpuSeconds: (ended.cpu - began.cpu) * share,
      postgresCpuSeconds: (ended.postgres - began.postgres) * share,
      peakRssMb,
    };
  } finally {
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function publish(rig: Rig, { events, users: devices }: InteractionsBenchOptions, ids: boolean): Promise<void> {
  const generator = interactionsOf({ organizations, devices, ids });
  for (let sent = 0; sent < events; sent += 1_000) {
    const messages = take(generator, Math.min(1_000, events - sent)).map((interaction) => ({
      key: topic.key(interaction),
      value: topic.encode(interaction),
    }));
    await rig.connection.publisher().publish(interactionsTopic, messages);
  }
}

async function recordedNow(rig: Rig): Promise<number> {
  const positions = await new PositionStore().readAll(rig.database, interactionRecorderName);
  return positions.reduce((sum, { recorded }) => sum + Number(recorded), 0);
}
