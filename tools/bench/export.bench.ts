import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compression, type Dataset, DATASETS, specOf } from '@delivery/exports/domain';
import { contentOf, planRun } from '@delivery/exports/engine';
import { RunStore, ScheduleStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { memoryArgs } from '../build/node.cjs';
import { contest, type Contender } from './contest';
import { postgresCpuSeconds, runCommand } from './measure';
import { dltPeer } from './peers/dlt';
import { psqlPeers } from './peers/psql';
import { nodeOptions, openRig, type Rig, say } from './rig';
import { seedRevisions } from './seed-revisions';

export interface ExportOptions {
  events: number;
  users: number;
  partitions: number;
  runs: number;
}

const ORGANIZATION = 'acme';
const DOCUMENTS = 'SELECT event_document FROM consent_event_revision';

/**
 * P4, P5 and P6: recorded events into compressed NDJSON files on this machine's disk, each event by itself or grouped by
 * user. The peers read the same table; the platform's process is started before the clock is, as a service is.
 */
export async function benchExport(dataset: Dataset, options: ExportOptions) {
  const rig = await openRig(options.partitions);
  try {
    say(`seeding ${options.events} events of ${options.users} users`);
    await seedRevisions(rig.database, { organization: ORGANIZATION, ...options });
    const ours = [
      await ownContender(rig, dataset, 'gzip', options.events),
      await ownContender(rig, dataset, 'zstd', options.events),
    ];
    const { contenders: peers, without } =
      dataset === 'events'
        ? await psqlPeers(rig, DOCUMENTS, ['gzip -1', 'pigz -1 -p2', 'zstd -1'])
        : await psqlPeers(rig, DOCUMENTS, ['gzip -1'], 'events, not grouped');
    for (const reason of without) say(`without ${reason}`);
    if (dataset === 'events') peers.push(await dltPeer(rig));
    return {
      benchmark: dataset === 'events' ? 'P4 export consent-events' : 'P5 export consent-users',
      options,
      without,
      contenders: await contest([...ours, ...peers], options),
    };
  } finally {
    await rig.close();
  }
}

async function ownContender(rig: Rig, dataset: Dataset, compression: Compression, events: number): Promise<Contender> {
  const integrationId = `${dataset}-${compression}`;
  await planOnce(rig, integrationId, dataset, compression);
  return { name: `consent-delivery, ${compression}`, run: () => exportOnce(rig, integrationId, events) };
}

async function planOnce({ database }: Rig, integrationId: string, dataset: Dataset, compression: Compression) {
  const schedules = new ScheduleStore();
  const key = { organizationId: ORGANIZATION, integrationId };
  const spec = specOf(dataset, compression);
  const content = contentOf(DATASETS[dataset]).name;
  await schedules.create(database, { ...key, destinationKind: 'file', content, spec, frequencyDays: 1 });
  await planRun(
    {
      database,
      schedules,
      runs: new RunStore(),
      positions: new PositionStore(),
      log: { clusterId: async () => 'c', offsetsAt: async () => [] },
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
  peakRssMb: number;
  progress: { bytes: number; rows: number; events: number };
}

async function exportOnce(rig: Rig, integrationId: string, events: number) {
  const bucket = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    await rig.database.query(
      `UPDATE export_run SET status = CASE WHEN integration_id = $1 THEN 'pending' ELSE 'cancelled' END`,
      [integrationId],
    );
    const before = await postgresCpuSeconds(rig.database);
    const args = ['tools/run.cjs', ...memoryArgs('exporter-s3'), ...nodeOptions, 'tools/bench/export-once.ts', bucket];
    const { stdout } = await runCommand(process.execPath, args, { ...process.env, ...rig.environment });
    const postgres = (await postgresCpuSeconds(rig.database)) - before;
    const { outcome, seconds, cpuSeconds, peakRssMb, progress } = JSON.parse(stdout) as Outcome;
    if (outcome !== 'completed' || progress.events !== events) throw new Error(`not delivered: ${stdout}`);
    const megabytes = Math.round(progress.bytes / 1e6);
    return { seconds, cpuSeconds, postgresCpuSeconds: postgres, peakRssMb, megabytes };
  } finally {
    await rm(bucket, { recursive: true });
  }
}
