import { createHash } from 'node:crypto';
import type { ReportShard } from '@delivery/analytics/store';
import type { ObjectWriter } from '@delivery/destinations/driver';
import type { ReportCsv } from './report-csv';

export interface ShardOptions {
  readonly rowsPerShard: number;
  readonly csv: ReportCsv;
  /** Begins the object of the shard with this number. */
  readonly create: (shard: number) => Promise<ObjectWriter>;
}

/**
 * Cuts rows into files and writes one after the other: numbered from 0 without a gap, each with the header, all but the
 * last one full. Without rows it is one file with the header. When it rejects, no file is left half written.
 */
export async function writeShards(
  batches: AsyncIterable<readonly (readonly string[])[]>,
  { rowsPerShard, csv, create }: ShardOptions,
): Promise<ReportShard[]> {
  const shards: ReportShard[] = [];
  let open: ShardFile | undefined;
  try {
    for await (const batch of batches) {
      for (let next = 0; next < batch.length;) {
        open ??= await ShardFile.open(await create(shards.length), csv);
        const rows = batch.slice(next, next + rowsPerShard - open.rows);
        await open.write(rows);
        next += rows.length;
        if (open.rows < rowsPerShard) continue;
        shards.push(await open.finish());
        open = undefined;
      }
    }
    if (shards.length === 0) open ??= await ShardFile.open(await create(0), csv);
    if (open !== undefined) shards.push(await open.finish());
    return shards;
  } catch (error) {
    // The first failure is the one to tell; what cannot be aborted now is swept by the next attempt.
    await open?.abort().catch(() => undefined);
    throw error;
  }
}

/** One file on its way: rows -> CSV -> hashed and uploaded. */
class ShardFile {
  private readonly hash = createHash('sha256');
  private bytes = 0;
  rows = 0;

  private constructor(
    private readonly upload: ObjectWriter,
    private readonly csv: ReportCsv,
  ) {}

  static async open(upload: ObjectWriter, csv: ReportCsv): Promise<ShardFile> {
    const file = new ShardFile(upload, csv);
    try {
      await file.store(csv.header);
    } catch (error) {
      await file.abort().catch(() => undefined);
      throw error;
    }
    return file;
  }

  async write(rows: readonly (readonly string[])[]): Promise<void> {
    this.rows += rows.length;
    await this.store(this.csv.lines(rows));
  }

  async finish(): Promise<ReportShard> {
    await this.upload.finish();
    return { bytes: this.bytes, rows: this.rows, sha256: this.hash.digest('hex') };
  }

  async abort(): Promise<void> {
    await this.upload.abort();
  }

  private async store(bytes: Buffer): Promise<void> {
    this.hash.update(bytes);
    this.bytes += bytes.length;
    await this.upload.write(bytes);
  }
}
