import { openFileDestination } from '@delivery/destinations/file';
import { DEFAULT_RETRY_SCHEDULE } from '@delivery/exports/domain';
import { executeRun } from '@delivery/exports/engine';
import { AttemptStore, RunStore } from '@delivery/exports/store';
import { PositionStore } from '@delivery/ingest/store';
import { loadConfig } from '@delivery/platform/config';
import { Database, PostgresConfig } from '@delivery/platform/postgres';
import { generateSigningKey, ManifestSigner } from '@delivery/platform/secrets';
import { tolerateBuffers } from '@delivery/platform/service';
import { processUsage } from './measure';

const LEASE_SECONDS = 60;

/** Claims and executes one run into a folder, as an exporter of its own process, and prints what it cost. */
async function main(bucket: string): Promise<void> {
  const database = await new Database(loadConfig(PostgresConfig), { applicationName: 'bench-export' }).open();
  const attempts = new AttemptStore();
  const signer = ManifestSigner.fromConfig({ manifestSigningKey: generateSigningKey() });
  const claimedAt = performance.now();
  const before = process.cpuUsage();
  const terms = { owner: 'bench', leaseSeconds: LEASE_SECONDS, perOrganization: 1 };
  const run = await database.transaction((tx) => attempts.claimNext(tx, 'file', terms));
  if (run === undefined) throw new Error('there is no run to claim');
  const deps = {
    database,
    snapshots: database,
    attempts,
    runs: new RunStore(),
    positions: new PositionStore(),
    openDestination: async () => openFileDestination({ root: bucket }),
    sign: (input: Buffer) => ({ algorithm: 'Ed25519', key_id: signer.keyId, value: signer.sign(input) }) as const,
    leaseSeconds: LEASE_SECONDS,
    retry: DEFAULT_RETRY_SCHEDULE,
    warn: (message: string, { err }: { err: unknown }) => console.error(message, err),
  };
  const outcome = await executeRun(deps, run, { signal: new AbortController().signal, claimedAt });
  const seconds = (performance.now() - claimedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  const { progress } = (await deps.runs.find(database, run)) ?? {};
  const { peakRssMb } = processUsage(process.pid);
  console.log(JSON.stringify({ outcome, seconds, cpuSeconds: (user + system) / 1e6, peakRssMb, progress }));
  await database.close();
}

tolerateBuffers();
main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
