import { consentEvents as topic, consentEventsTopic } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import type { Database } from '@delivery/platform/postgres';
import { setTimeout as delay } from 'node:timers/promises';
import { contest, type Measured } from './contest';
import { consentEvents, take } from './generator';
import { postgresCpuSeconds, processUsage } from './measure';
import { debeziumPeer } from './peers/debezium';
import { openRig, startApp, stopApp, type Rig } from './rig';

export interface RecordOptions {
  events: number;
  users: number;
  partitions: number;
  runs: number;
}

/** P2: events already in the log, recorded by one consent-ingest process into an empty database. */
export async function benchRecord(options: RecordOptions) {
  const ours = { name: 'consent-delivery, one recorder', run: () => recordOnce(options) };
  return {
    benchmark: 'P2 record',
    options,
    contenders: await contest([ours, await debeziumPeer(options)], options),
  };
}

/** For a look inside one run. */
export interface Inspection {
  nodeOptions: string[];
  begin(database: Database): Promise<void>;
  end(database: Database): Promise<void>;
}

export async function recordOnce(options: RecordOptions, inspection?: Inspection): Promise<Measured> {
  const rig = await openRig(options.partitions);
  try {
    await rig.database.query(`INSERT INTO organization (organization_id, name) VALUES ('acme', 'Acme')`);
    await publish(rig, options);
    await inspection?.begin(rig.database);
    const environment = { ...rig.environment, INGEST_ROLES: 'record' };
    const app = await startApp('consent-ingest', environment, 18_081, inspection?.nodeOptions);
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
    await inspection?.end(rig.database);
    const share = options.events / (ended.recorded - began.recorded);
    return {
      seconds: ((ended.at - began.at) / 1000) * share,
      cpuSeconds: (ended.cpu - began.cpu) * share,
      postgresCpuSeconds: (ended.postgres - began.postgres) * share,
      peakRssMb,
    };
  } finally {
    await rig.close();
  }
}

async function publish(rig: Rig, options: RecordOptions): Promise<void> {
  const generator = consentEvents({ organization: 'acme', users: options.users });
  for (let sent = 0; sent < options.events; sent += 500) {
    const messages = take(generator, Math.min(500, options.events - sent)).map((event) => ({
      key: topic.key(event),
      value: topic.encode(event),
    }));
    await rig.connection.publisher().publish(consentEventsTopic, messages);
  }
}

async function recordedNow(rig: Rig): Promise<number> {
  const positions = await new PositionStore().readAll(rig.database, 'consent');
  return positions.reduce((sum, { recorded }) => sum + Number(recorded), 0);
}
