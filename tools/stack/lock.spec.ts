import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock';
import { startTime } from './processes';

const nobody = 2_000_000_000;

describe('a lock', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lock-'));
    path = join(dir, 'lock');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('lets one at a time in, and tells the others whom they wait for', async () => {
    const order: string[] = [];
    const waited: number[] = [];
    const hold = (name: string) =>
      withLock(
        path,
        async () => {
          order.push(name);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(name);
        },
        (owner) => waited.push(owner),
      );
    await Promise.all([hold('a'), hold('b'), hold('c')]);
    expect(order).toHaveLength(6);
    for (const at of [0, 2, 4]) expect(order[at]).toBe(order[at + 1]);
    expect(waited).toEqual([process.pid, process.pid]);
  });

  it('is free again when the work fails', async () => {
    await expect(withLock(path, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(path)).toBe(false);
  });

  it('counts for nothing when its owner is gone', async () => {
    writeFileSync(path, `${nobody} 1`);
    const order: string[] = [];
    const hold = (name: string) => withLock(path, async () => void order.push(name));
    await Promise.all([hold('a'), hold('b')]);
    expect(order.sort()).toEqual(['a', 'b']);
  });

  it('counts for nothing when its owner has the pid of another process', async () => {
    writeFileSync(path, `${process.pid} ${startTime(process.pid)}0`);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
  });

  it('is broken although the one that broke it before was killed while doing so', async () => {
    writeFileSync(path, `${nobody} 1`);
    writeFileSync(`${path}.guard`, '');
    const long = Date.now() / 1000 - 60;
    utimesSync(`${path}.guard`, long, long);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
  });
});
