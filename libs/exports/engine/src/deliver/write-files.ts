import { createHash } from 'node:crypto';
import type { ObjectWriter } from '@delivery/destinations/driver';
import { type ManifestFile, Splitter } from '@delivery/exports/domain';
import { type Compressor, openCompressor } from './compression';
import type { Delivery } from './delivery';

const CONTENT_TYPES = { gzip: 'application/gzip', zstd: 'application/zstd', none: 'application/x-ndjson' } as const;

/** Cuts the lines into files and delivers one after the other. When it rejects, no file is left half written. */
export async function writeFiles(delivery: Delivery, blocks: AsyncIterable<Uint8Array>): Promise<ManifestFile[]> {
  const { progress } = delivery;
  const splitter = new Splitter(delivery.spec.split);
  const files: ManifestFile[] = [];
  let open: DataFile | undefined;
  try {
    for await (const block of blocks) {
      for (const piece of splitter.split(block)) {
        open ??= await DataFile.open(delivery, files.length);
        await open.write(piece.bytes, piece.rows);
        progress.now.rows += piece.rows;
        if (!piece.endsFile) continue;
        files.push(await open.finish());
        open = undefined;
        progress.now.files = files.length;
      }
    }
    if (open !== undefined) files.push(await open.finish());
    open = undefined;
    progress.now.files = files.length;
    return files;
  } catch (error) {
    await abandon(delivery, open);
    throw error;
  }
}

/** What cannot be aborted now is in the run's row and aborted by the next attempt: the first failure is the one to tell. */
async function abandon({ deps, run }: Delivery, file: DataFile | undefined): Promise<void> {
  try {
    await file?.abort();
  } catch (err) {
    deps.warn?.('an unfinished upload could not be aborted', { err, run: run.id, organization: run.organizationId });
  }
}

/** One file on its way: lines -> compressed -> encrypted -> hashed and uploaded. */
class DataFile {
  private readonly hash = createHash('sha256');
  private readonly compressor: Compressor;
  private rows = 0;
  private bytes = 0;

  private constructor(
    private readonly delivery: Delivery,
    private readonly key: string,
    private readonly upload: ObjectWriter,
  ) {
    // Encryption comes between these two: it takes compressed bytes, and what is stored is what is hashed.
    this.compressor = openCompressor(delivery.spec.compression, (bytes) => this.store(bytes));
  }

  static async open(delivery: Delivery, number: number): Promise<DataFile> {
    const { deps, run, lease, destination, keys, spec } = delivery;
    const key = keys.file(number);
    await lease.changing(() => deps.attempts.openFile(deps.database, run, number));
    const upload = await destination.createObject(key, {
      // Never as Content-Encoding: stores and clients would then unpack it on the way, against its name and hash.
      contentType: CONTENT_TYPES[spec.compression],
      signal: lease.signal,
      onUploadStarted: (begun) => lease.changing(() => deps.attempts.recordUpload(deps.database, run, begun)),
    });
    return new DataFile(delivery, key, upload);
  }

  async write(lines: Uint8Array, rows: number): Promise<void> {
    this.rows += rows;
    await this.compressor.write(lines);
  }

  async finish(): Promise<ManifestFile> {
    await this.compressor.finish();
    await this.upload.finish();
    return { key: this.key, bytes: this.bytes, rows: this.rows, sha256: this.hash.digest('hex') };
  }

  async abort(): Promise<void> {
    await this.upload.abort();
  }

  private async store(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    this.bytes += bytes.length;
    this.delivery.progress.now.bytes += bytes.length;
    await this.upload.write(bytes);
  }
}
