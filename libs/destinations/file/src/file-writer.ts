import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  abortedError,
  DestinationError,
  failureOf,
  throwIfAborted,
  type ObjectWriter,
} from '@delivery/destinations/driver';
import { mapFileError } from './file-errors';

/** The not yet visible file that will become `path`. */
export function unfinishedPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.unfinished`);
}

/** Writes beside the target, flushes, renames over it, flushes the folder: a crash leaves the old file or the new. */
export class FileWriter implements ObjectWriter {
  private bytes = 0;
  private finished = false;
  private file: FileHandle | undefined;

  private constructor(
    private readonly temporary: string,
    private readonly path: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Creates the unfinished file; `started` is awaited before anything is written into it. */
  static async open(options: {
    path: string;
    signal: AbortSignal;
    started: (temporary: string) => Promise<void>;
  }): Promise<FileWriter> {
    const writer = new FileWriter(unfinishedPath(options.path), options.path, options.signal);
    await writer.guarded(async () => {
      await makeFolder(dirname(writer.path));
      writer.file = await open(writer.temporary, 'wx', 0o640);
    });
    try {
      await options.started(writer.temporary);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    return writer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.guarded(async () => {
      const file = this.opened();
      for (let offset = 0; offset < chunk.byteLength;) {
        throwIfAborted(this.signal);
        const { bytesWritten } = await file.write(chunk, offset, chunk.byteLength - offset);
        offset += bytesWritten;
      }
      this.bytes += chunk.byteLength;
    });
  }

  async finish(): Promise<{ bytes: number }> {
    await this.guarded(async () => {
      const file = this.opened();
      await file.sync();
      const { size } = await file.stat();
      if (size !== this.bytes) {
        throw new DestinationError('checksum_mismatch', `"${this.path}" has ${size} bytes instead of ${this.bytes}.`);
      }
      await this.closeFile();
      throwIfAborted(this.signal);
      await this.reveal();
      this.finished = true;
      await syncFolder(dirname(this.path));
    });
    return { bytes: this.bytes };
  }

  async abort(): Promise<void> {
    if (this.finished) return;
    try {
      await this.closeFile();
      await rm(this.temporary, { force: true });
    } catch (error) {
      throw mapFileError(error, this.path);
    }
  }

  private async reveal(): Promise<void> {
    try {
      await rename(this.temporary, this.path);
    } catch (error) {
      if (failureOf(error).code !== 'ENOENT') throw error;
      const message = `The unfinished file of "${this.path}" was removed, by another attempt or by somebody.`;
      throw new DestinationError('upload_lost', message, { cause: error });
    }
  }

  private opened(): FileHandle {
    if (this.file === undefined) throw new DestinationError('aborted', `Writing "${this.path}" has already ended.`);
    return this.file;
  }

  private async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.close();
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.signal.aborted) throw abortedError(this.signal);
    try {
      await work();
    } catch (error) {
      throw mapFileError(error, this.path);
    }
  }
}

async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  // Each new folder is an entry of the one above it, and lost with it unless that one is flushed.
  let folder = path;
  do {
    folder = dirname(folder);
    await syncFolder(folder);
  } while (folder !== dirname(first));
}

/** Without it, a power cut can undo a rename or a removal that was already reported as durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
