import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DestinationErrorCode } from '@delivery/destinations/driver';
import { mapFileError } from './file-errors';
import { openFileDestination } from './open-file-destination';
import { openFileReader } from './open-file-reader';

const { signal } = new AbortController();

describe('mapFileError', () => {
  it.each<[string, DestinationErrorCode, boolean]>([
    ['EACCES', 'access_denied', false],
    ['EROFS', 'access_denied', false],
    ['ENOENT', 'bucket_not_found', false],
    ['ENOSPC', 'quota_exceeded', false],
    ['EDQUOT', 'quota_exceeded', false],
    ['ENAMETOOLONG', 'invalid_key', false],
    ['EISDIR', 'rejected', false],
    ['EMFILE', 'unavailable', true],
    ['EIO', 'unavailable', true],
    ['ESOMETHING', 'rejected', false],
  ])('maps %s to %s', (errno, code, retryable) => {
    const error = mapFileError(Object.assign(new Error('it failed'), { code: errno }), '/exports/a');
    expect(error).toMatchObject({ code, retryable, message: expect.stringContaining('"/exports/a"') });
  });
});

describe('file destination', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'file-destination-'));
  });
  afterEach(async () => rm(root, { recursive: true, force: true }));

  it('needs an absolute root', async () => {
    await expect(openFileDestination({ root: 'exports' })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: 'The file destination cannot be used: root must be an absolute path.',
    });
  });

  it('keeps to its prefix', async () => {
    const driver = await openFileDestination({ root, prefix: 'data/' });
    const put = driver.putObject('other/x', Buffer.from('x'), { contentType: 'a/b', signal });
    await expect(put).rejects.toMatchObject({ code: 'invalid_key' });
    expect(await readdir(root)).toEqual([]);
  });

  it('removes, as an upload to abort, only an unfinished file of that very key', async () => {
    const outside = `${root}-outside`;
    await writeFile(outside, 'kept');
    await writeFile(join(root, 'x'), 'kept');
    await writeFile(join(root, '.y.0123456789abcdef.unfinished'), 'kept');
    const driver = await openFileDestination({ root });
    const ids = [`../${outside.split('/').at(-1)}`, 'x', '', '.y.0123456789abcdef.unfinished'];
    const uploads = ids.map((uploadId) => ({ key: 'x', uploadId }));
    await expect(driver.abortUnfinished({ keyPrefix: 'nothing', uploads, signal })).resolves.toBe(0);
    expect((await readdir(root)).sort()).toEqual(['.y.0123456789abcdef.unfinished', 'x']);
    await rm(outside);
  });

  it('does not write where an unfinished file could be taken for an object', async () => {
    const driver = await openFileDestination({ root });
    const put = driver.putObject('.a.0123456789abcdef.unfinished', Buffer.from('x'), { contentType: 'a/b', signal });
    await expect(put).rejects.toMatchObject({ code: 'invalid_key' });
  });

  it('says that a folder is in the way', async () => {
    await mkdir(join(root, 'data'));
    const driver = await openFileDestination({ root });
    const put = driver.putObject('data', Buffer.from('x'), { contentType: 'a/b', signal });
    await expect(put).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('is a folder') });
    expect(await readdir(root)).toEqual(['data']);
  });

  it('fails writers that are open when it is closed', async () => {
    const driver = await openFileDestination({ root });
    const writer = await driver.createObject('x', { contentType: 'a/b', signal });
    await driver.close();
    await expect(writer.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'aborted' });
    await writer.abort();
    expect(await readdir(root)).toEqual([]);
  });

  it('does not list what links lead to, and does not take an absent root for an empty one', async () => {
    await symlink('/etc', join(root, 'link'));
    const keys = async (path: string): Promise<string[]> => {
      const found: string[] = [];
      const reader = await openFileReader({ root: path });
      for await (const { key } of reader.list('', signal)) found.push(key);
      return found;
    };
    expect(await keys(root)).toEqual([]);
    await expect(keys(join(root, 'missing'))).rejects.toMatchObject({ code: 'bucket_not_found' });
  });
});
