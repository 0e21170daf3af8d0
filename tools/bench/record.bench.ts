import { consentEvents as topic, consentEventsTopic } from '@delivery/consent/schema';
import { PositionStore } from '@delivery/ingest/store';
import { setTimeout as delay } from 'node:timers/promises';
import { consentEvents, take } from './generator';
import { median, processUsage } from './measure';
import { openRig, say, startApp, stopApp, type Rig } from './rig';

export interface RecordOptions {
  events: number;
  users: number;
  partitions: number;
  runs: number;
}

/** P2: events already in the log, recorded by one consent-ingest process into an empty database. */
export async function benchRecord(options: RecordOptions) {
  const runs = [];
  for (let run = 0; run <= options.runs; run += 1) {
    const result = await recordOnce(options);
    say(
      `${run === 0 ? 'warm-up' : `run ${run}`}: ${result.eventsPerSecond} events/s, ${result.cpuSecondsPerMillion} + ${result.postgresCpuSecondsPerMillion} (Postgres) CPU-s per million, peak ${result.peakRssMb} MB`,
    );
    if (run > 0) runs.push(result);
  }
  return { benchmark: 'P2 record', options, medianEventsPerSecond: median(runs.map((r) => r.eventsPerSecond)), runs };
}

async function recordOnce(options: RecordOptions) {
  const rig = await openRig(options.partitions);
  try {
    await rig.database.query(`INSERT INTO organization (organization_id, name) VALUES ('acme', 'Acme')`);
    const bytes = await publish(rig, options);
    const app = await startApp('consent-ingest', { ...rig.environment, INGEST_ROLES: 'record' }, 18_081);
    const began = await firstProgress(rig);
    const before = await cpuSeconds(rig, app.pid ?? 0);
    const ended = await allRecorded(rig, options.events);
    const after = await cpuSeconds(rig, app.pid ?? 0);
    const { peakRssMb } = processUsage(app.pid ?? 0);
    await stopApp(app);
    const seconds = (ended.at - began.at) / 1000;
    const measured = options.events - began.recorded;
    const perMillion = (cpu: number) => Number(((cpu / measured) * 1e6).toFixed(1));
    return {
      eventsPerSecond: Math.round(measured / seconds),
      cpuSecondsPerMillion: perMillion(after.app - before.app),
      postgresCpuSecondsPerMillion: perMillion(after.postgres - before.postgres),
      peakRssMb,
      bytesPerEvent: Math.round(bytes / options.events),
    };
  } finally {
    await rig.close();
  }
}

async function publish(rig: Rig, options: RecordOptions): Promise<number> {
  const generator = consentEvents({ organization: 'acme', users: options.users });
  let bytes = 0;
  for (let sent = 0; sent < options.events; sent += 500) {
    const messages = take(generator, Math.min(500, options.events - sent)).map((event) => ({
      key: topic.key(event),
      value: topic.encode(event),
    }));
    bytes += messages.reduce((sum, message) => sum + message.value.length, 0);
    await rig.connection.publisher().publish(consentEventsTopic, messages);
  }
  return bytes;
}

/** CPU so far of the recorder and of its database sessions; those are only readable when Postgres runs here. */
async function cpuSeconds(rig: Rig, pid: number) {
  const rows = await rig.database.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'consent-ingest' AND datname = current_database()`,
  );
  const postgres = rows.reduce((sum, row) => sum + processUsage(row.pid).cpuSeconds, 0);
  return { app: processUsage(pid).cpuSeconds, postgres };
}

const recordedNow = async (rig: Rig) => {
  const positions = await new PositionStore().readAll(rig.database, 'consent');
  return { at: performance.now(), recorded: positions.reduce((sum, p) => sum + Number(p.recorded), 0) };
};

/** The clock starts when the first batch is in: start-up is P8's business. */
async function firstProgress(rig: Rig) {
  for (;;) {
    const now = await recordedNow(rig);
    if (now.recorded > 0) return now;
    await delay(10);
  }
}

async function allRecorded(rig: Rig, events: number) {
  for (;;) {
    const now = await recordedNow(rig);
    if (now.recorded >= events) return now;
    await delay(20);
  }
}
