import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_SPEC } from '@delivery/exports/domain';
import { planRun } from '@delivery/exports/engine';
import { RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { memoryArgs } from '../build/node.cjs';
import { median } from './measure';
import { nodeOptions, openRig, type Rig, say } from './rig';
import { seedRevisions } from './seed-revisions';

export interface ExportOptions {
  events: number;
  users: number;
  partitions: number;
  runs: number;
}

const run = promisify(execFile);
const key = { organizationId: 'acme', integrationId: 'bench' };

/** P5 and P6: recorded events as `consent-users` into gzip files on this machine's disk, beside `psql | gzip -1`. */
export async function benchExport(options: ExportOptions) {
  const rig = await openRig(options.partitions);
  try {
    say(`seeding ${options.events} events of ${options.users} users`);
    await seedRevisions(rig.database, { organization: key.organizationId, ...options });
    await planOnce(rig);
    const exports = [];
    const peers = [];
    for (let n = 0; n <= options.runs; n += 1) {
      const [ours, peer] = [await exportOnce(rig, options), await psqlOnce(rig, options)];
      say(`${n === 0 ? 'warm-up' : `run ${n}`}: ${JSON.stringify(ours)}; psql | gzip -1 ${JSON.stringify(peer)}`);
      if (n > 0) {
        exports.push(ours);
        peers.push(peer);
      }
    }
    return {
      benchmark: 'P5 export consent-users',
      options,
      medianEventsPerSecond: median(exports.map((each) => each.eventsPerSecond)),
      medianPeerEventsPerSecond: median(peers.map((each) => each.eventsPerSecond)),
      peakRssMb: Math.max(...exports.map((each) => each.peakRssMb)),
      runs: exports,
      peers,
    };
  } finally {
    await rig.close();
  }
}

async function planOnce({ database }: Rig): Promise<void> {
  const schedules = new ScheduleStore();
  const positions = new PositionStore();
  await schedules.create(database, {
    ...key,
    destinationKind: 'file',
    content: 'consent-users',
    spec: DEFAULT_SPEC,
    frequencyDays: 1,
  });
  await planRun(
    {
      database,
      schedules,
      runs: new RunStore(),
      readPositions: (sql) => positions.readAll(sql, 'consent'),
      log: { offsetsAt: async () => [] },
      topics: [],
      readSettings: async () => ({ includeGuests: true }),
      maxWaitSeconds: 0,
    },
    { ...key, trigger: 'manual' },
  );
}

interface Outcome {
  outcome: string;
  seconds: number;
  cpuSeconds: number;
  postgresCpuSeconds: number;
  peakRssMb: number;
  progress: { bytes: number; rows: number; events: number };
}

async function exportOnce(rig: Rig, { events }: ExportOptions) {
  const bucket = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    await rig.database.query(`UPDATE export_run SET status = 'pending'`);
    const args = ['tools/run.cjs', ...memoryArgs('exporter-s3'), ...nodeOptions, 'tools/bench/export-once.ts', bucket];
    const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...rig.environment } });
    const result = JSON.parse(stdout) as Outcome;
    if (result.outcome !== 'completed' || result.progress.events !== events)
      throw new Error(`not delivered: ${stdout}`);
    const perMillion = (seconds: number) => Number(((seconds / events) * 1e6).toFixed(1));
    return {
      eventsPerSecond: Math.round(events / result.seconds),
      cpuSecondsPerMillion: perMillion(result.cpuSeconds),
      postgresCpuSecondsPerMillion: perMillion(result.postgresCpuSeconds),
      peakRssMb: result.peakRssMb,
      lines: result.progress.rows,
      megabytes: Math.round(result.progress.bytes / 1e6),
    };
  } finally {
    await rm(bucket, { recursive: true });
  }
}

/** The simplest tool for the job: events ungrouped, since psql groups nothing. */
async function psqlOnce(rig: Rig, { events }: ExportOptions) {
  const copy = `COPY (SELECT event_document FROM consent_event_revision) TO STDOUT WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')`;
  const began = performance.now();
  await run('sh', ['-c', `psql "$DATABASE_URL" -qc "${copy}" | gzip -1 > /dev/null`], {
    env: { ...process.env, ...rig.environment },
  });
  return { eventsPerSecond: Math.round(events / ((performance.now() - began) / 1000)) };
}
