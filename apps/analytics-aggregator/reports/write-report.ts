import {
  describeReport,
  reportFolder,
  reportManifestFile,
  shardFile,
  shardFileBeginning,
} from '@delivery/analytics/domain';
import { readReportRows, type ReportPlan, type ReportShard } from '@delivery/analytics/store';
import { confineKeys, type DestinationDriver } from '@delivery/destinations/driver';
import { canonicalJson, type JsonValue, type ManifestSignature } from '@delivery/exports/domain';
import type { Database, Transaction } from '@delivery/platform/postgres';
import { ReportCsv } from './report-csv';
import { writeShards } from './write-shards';

export interface WriteReportDeps {
  readonly database: Database;
  /** The report store. */
  readonly store: DestinationDriver;
  /** What all keys in it begin with: empty, or ending with "/". */
  readonly storePrefix: string;
  readonly sign: (input: Buffer) => ManifestSignature;
}

/**
 * Longer than in any other transaction, since the store may ask to slow down, but not for as long as a process can be
 * frozen.
 */
const IDLE_MS = 600_000;

/**
 * Writes all files of a report and then its manifest. Tells nobody: until the report is published, nobody looks for them.
 * May be repeated: the same report has the same bytes under the same keys.
 *
 * @throws DestinationError, DatabaseError; `signal.reason` once it is aborted
 */
export async function writeReport(
  { database, store, storePrefix, sign }: WriteReportDeps,
  report: ReportPlan,
  signal: AbortSignal,
): Promise<ReportShard[]> {
  const folder = `${storePrefix}${reportFolder(report.organizationId, report.analyticsId)}`;
  const destination = confineKeys(store, folder);
  // What an attempt that is gone began to upload, and nobody will finish.
  await destination.abortUnfinished({ keyPrefix: folder + shardFileBeginning(report.prefix), uploads: [], signal });
  const shards = await readRows(database, report, signal, (batches) =>
    writeShards(batches, {
      rowsPerShard: report.rowsPerShard,
      csv: new ReportCsv(report.aggregation, report.escapeFormulas),
      create: (shard) =>
        destination.createObject(folder + shardFile(report.prefix, shard), {
          contentType: 'text/csv; charset=utf-8',
          signal,
        }),
    }),
  );
  const manifest = manifestBytes(describeReport(report, shards), sign);
  const options = { contentType: 'application/json', signal };
  await destination.putObject(folder + reportManifestFile(report.prefix), manifest, options);
  return shards;
}

type Batches = AsyncGenerator<string[][]>;

/** Reads in one read-only snapshot, for as long as writing takes. */
async function readRows<T>(
  database: Database,
  report: ReportPlan,
  signal: AbortSignal,
  use: (batches: Batches) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  let done: { result: T } | undefined;
  const read = async (tx: Transaction): Promise<T> => {
    try {
      // A statement that sends nothing yet (a sort) would otherwise outlive a process that is gone.
      await tx.query(`SET LOCAL client_connection_check_interval = '5s'`);
      done = { result: await use(stoppable(readReportRows(tx, report), signal)) };
      return done.result;
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    const limits = { statementTimeoutMs: 0, idleTimeoutMs: IDLE_MS } as const;
    return await database.transaction(read, { isolation: 'repeatable read', readOnly: true, retries: 0, ...limits });
  } catch (error) {
    // All was read and written: that Postgres ended the idle transaction while the last upload took its time is no loss.
    if (done !== undefined) return done.result;
    // What the store refused must not pass for a failure of the database.
    throw failure ?? error;
  }
}

/** A local folder writes on for a long time before it looks at a signal. */
async function* stoppable(batches: Batches, signal: AbortSignal): Batches {
  for await (const batch of batches) {
    signal.throwIfAborted();
    yield batch;
  }
}

/** Canonical, and signed as the manifests of exports: over the RFC 8785 form of all other fields. */
function manifestBytes(
  manifest: { readonly [name: string]: JsonValue },
  sign: (input: Buffer) => ManifestSignature,
): Buffer {
  const signature = sign(Buffer.from(canonicalJson(manifest)));
  return Buffer.from(`${canonicalJson({ ...manifest, signature })}\n`);
}
