import { stat, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { IsOptional, IsString, Matches } from 'class-validator';
import {
  assertKey,
  checkOptions,
  confineKeys,
  DestinationError,
  failureOf,
  PROBE_NAME,
  throwIfAborted,
  type CreateObjectOptions,
  type DestinationDriver,
  type ObjectWriter,
  type PutOptions,
  type UploadRef,
} from '@delivery/destinations/driver';
import { mapFileError } from './file-errors';
import { UNFINISHED, walk } from './file-tree';
import { FileWriter, syncFolder } from './file-writer';

/** Where a file destination lies. */
export class FileDestinationOptions {
  /** The folder that stands for the bucket: absolute, and existing, so that a disk that is not mounted is noticed. */
  @IsString()
  @Matches(/^(?:\/|[A-Za-z]:[\\/])/, { message: 'root must be an absolute path' })
  root!: string;

  /** Keys must lie below it; it is also where `check` puts its probe. Empty, or ending with "/". */
  @IsOptional()
  @IsString()
  prefix?: string;
}

/**
 * Delivers into a folder of this machine, one file per object. Used by tests, reports and `verify`; it gives the same
 * promises as the clouds' drivers, including that a file appears whole and in one step.
 *
 * @throws DestinationError `invalid_configuration`
 */
export async function openFileDestination(given: FileDestinationOptions): Promise<DestinationDriver> {
  const options = checkOptions(FileDestinationOptions, given, 'The file destination');
  return confineKeys(new FileDriver(options.root, options.prefix ?? ''), options.prefix ?? '');
}

class FileDriver implements DestinationDriver {
  readonly kind = 'file';
  private readonly closing = new AbortController();

  constructor(
    private readonly root: string,
    private readonly prefix: string,
  ) {}

  async check(signal: AbortSignal): Promise<void> {
    const key = this.prefix + PROBE_NAME;
    await this.putObject(key, Buffer.from('This file may be removed.\n'), { contentType: 'text/plain', signal });
    await this.deleteObject(key, signal);
  }

  async createObject(key: string, options: CreateObjectOptions): Promise<ObjectWriter> {
    const path = await this.pathOf(key, options.signal);
    return FileWriter.open({
      path,
      signal: AbortSignal.any([options.signal, this.closing.signal]),
      started: async (temporary) => options.onUploadStarted?.({ key, uploadId: basename(temporary) }),
    });
  }

  async putObject(key: string, body: Uint8Array, options: PutOptions): Promise<void> {
    const writer = await this.createObject(key, options);
    try {
      await writer.write(body);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async deleteObject(key: string, signal: AbortSignal): Promise<void> {
    await this.remove(await this.pathOf(key, signal));
  }

  async abortUnfinished(options: {
    keyPrefix: string;
    uploads: readonly UploadRef[];
    signal: AbortSignal;
  }): Promise<number> {
    const unfinished = new Set<string>();
    for (const { key, uploadId } of options.uploads) {
      // An id comes from a table: only a name that this driver gives for this very key is a file that it may remove.
      if (UNFINISHED.exec(uploadId)?.[1] === basename(key)) unfinished.add(join(dirname(key), uploadId));
    }
    try {
      for await (const path of walk(this.root, options.keyPrefix)) {
        throwIfAborted(options.signal);
        const name = UNFINISHED.exec(basename(path))?.[1];
        if (name !== undefined && join(dirname(path), name).startsWith(options.keyPrefix)) unfinished.add(path);
      }
    } catch (error) {
      throw mapFileError(error, this.root);
    }
    let aborted = 0;
    for (const path of unfinished) if (await this.remove(join(this.root, path))) aborted += 1;
    return aborted;
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('the destination was closed'));
  }

  /** @returns whether there was something to remove */
  private async remove(path: string): Promise<boolean> {
    try {
      await rm(path);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (failureOf(error).code === 'ENOENT') return false;
      throw mapFileError(error, path);
    }
  }

  private async pathOf(key: string, signal: AbortSignal): Promise<string> {
    throwIfAborted(signal);
    throwIfAborted(this.closing.signal);
    assertKey(key);
    if (UNFINISHED.test(basename(key))) {
      throw new DestinationError('invalid_key', 'The object key is a name reserved for unfinished files.');
    }
    const path = join(this.root, key);
    const below = relative(this.root, path);
    if (isAbsolute(below) || below.split(sep).includes('..')) {
      throw new DestinationError('invalid_key', 'The object key leads out of the destination.');
    }
    await this.assertRoot();
    return path;
  }

  private async assertRoot(): Promise<void> {
    try {
      if ((await stat(this.root)).isDirectory()) return;
    } catch (error) {
      throw mapFileError(error, join(this.root, '.'));
    }
    throw new DestinationError('bucket_not_found', `"${this.root}" is not a folder. Change the destination.`);
  }
}
