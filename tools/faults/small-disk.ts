import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A disk of a few megabytes, which is soon full and can be enlarged. */
export class SmallDisk {
  private constructor(readonly path: string) {}

  /** What mounting takes and this machine lacks: root in a container often may not mount either. */
  static lacks(): string | undefined {
    const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
      execFileSync('umount', [path], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'root on Linux, who may mount';
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  }

  /**
   * @param owner a file or folder whose owner it is given to
   * @throws with what is missing: only root may mount, and only Linux has what is mounted
   */
  static async mount(megabytes: number, owner?: string): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
    try {
      if (owner !== undefined && !existsSync(owner)) throw new Error(`${owner} is not on this machine`);
      await execute('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', path]);
      if (owner !== undefined) {
        const { uid, gid } = statSync(owner);
        chownSync(path, uid, gid);
      }
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      const why = error instanceof Error ? error.message.trim() : String(error);
      throw new Error(`NOT RUN: no small disk could be mounted, which takes root on Linux (${why})`, { cause: error });
    }
    return new SmallDisk(path);
  }

  async enlarge(megabytes: number): Promise<void> {
    await execute('mount', ['-o', `remount,size=${megabytes}m`, this.path]);
  }

  async unmount(): Promise<void> {
    await execute('umount', ['--lazy', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
