import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Section } from '@delivery/platform/config';
import { waitFor } from '@delivery/platform/testing';
import { Controller, Get, Module, NotFoundException, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bootService, HttpConfig, LogConfig, type RunningService, serveFile } from './index';

class TestConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;
}

const HUGE = 64 * 1024 * 1024;
const lengths: Readonly<Record<string, number>> = {
  ...{ 'a.csv': 10, 'refused.csv': 10, 'cut.csv': 10, '.dots/a.csv': 10 },
  ...{ 'huge.csv': HUGE, 'slow.csv': HUGE, 'shrinking.csv': HUGE },
};
let root: string;
/** What each answer sent, in their order. */
let sent: number[] = [];
let begun: number[] = [];
let failed: string[] = [];
let gate = Promise.withResolvers<void>();

@Controller()
class FilesController {
  @Get('files/:name')
  serve(@Param('name') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return answer(name, request, reply);
  }

  /** Looks for the file only when the test says so. */
  @Get('later/:name')
  async later(@Param('name') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await gate.promise;
    await answer(name, request, reply);
  }
}

async function answer(name: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const headers = { 'content-type': 'text/csv', 'cache-control': 'no-store' };
  const bytes = lengths[name] ?? 0;
  const limits = { stalledMs: 300, ...(name === 'slow.csv' && { leastBytesPerSecond: 1e12 }) };
  const served = await serveFile(request, reply, {
    ...{ root, path: name, bytes, etag: '"e1"', headers, ...limits },
    begin: async (status) => {
      begun.push(status);
      if (name === 'refused.csv') throw new Error('it cannot be written down');
    },
  });
  if (served === undefined) throw new NotFoundException();
  void served.sent.then((end) => {
    sent.push(end.bytes);
    if (end.failed !== undefined) failed.push(String(end.failed));
  });
}

@Module({ controllers: [FilesController] })
class FilesModule {}

let service: RunningService;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-'));
  await writeFile(join(root, 'a.csv'), '0123456789');
  await writeFile(join(root, 'empty.csv'), '');
  await writeFile(join(root, 'huge.csv'), Buffer.alloc(HUGE, 'x'));
  await writeFile(join(root, 'slow.csv'), Buffer.alloc(HUGE, 'x'));
  await writeFile(join(root, 'shrinking.csv'), Buffer.alloc(HUGE, 'x'));
  await writeFile(join(root, 'refused.csv'), '0123456789');
  await mkdir(join(root, '.dots'));
  await writeFile(join(root, '.dots', 'a.csv'), '0123456789');
  await mkdir(join(root, 'folder'));
  service = await bootService({ name: 'files-test', config: TestConfig, module: () => FilesModule }, {});
});
afterAll(async () => {
  await service.stop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  [sent, begun, failed] = [[], [], []];
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(service.url + path, { headers, method });
const told = (count: number) => waitFor(async () => sent.length === count && sent, { describe: 'answers to end' });

describe('serveFile', () => {
  it('sends all of a file, and tells how much that was', async () => {
    const answer = await get('/files/a.csv');
    expect([answer.status, await answer.text()]).toEqual([200, '0123456789']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{ 'content-length': '10', 'content-type': 'text/csv', etag: '"e1"', 'accept-ranges': 'bytes' },
      ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    });
    expect(await (await get('/files/empty.csv')).text()).toBe('');
    expect(await (await get('/files/a.csv', {}, 'HEAD')).text()).toBe('');
    expect(await told(3)).toEqual([10, 0, 0]);
  });

  it.each([
    ['bytes=5-', 206, '56789', 'bytes 5-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=-10', 200, '0123456789', null],
    ['bytes=-11', 200, '0123456789', null],
    ['bytes=-0', 416, '', 'bytes */10'],
    ['bytes=2-3', 206, '23', 'bytes 2-3/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['lines=1-2', 200, '0123456789', null],
    ['bytes=abc', 200, '0123456789', null],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    [`bytes=${'0-0,'.repeat(3000)}1-1`, 200, '0123456789', null],
  ])('answers the range %s', async (range, status, text, contentRange) => {
    const answer = await get('/files/a.csv', { range });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      ...[status, text, contentRange],
    ]);
  });

  it('ignores the range of a HEAD', async () => {
    const answer = await get('/files/a.csv', { range: 'bytes=2-3' }, 'HEAD');
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '10']);
    expect((await get('/files/a.csv', { range: 'bytes=99-' }, 'HEAD')).status).toBe(200);
  });

  it('tells each status before it is answered, and answers nothing when that fails', async () => {
    await (await get('/files/a.csv')).text();
    await get('/files/a.csv', { 'if-none-match': '"e1"', 'cache-control': 'max-age=0' });
    await get('/files/a.csv', { range: 'bytes=10-' });
    expect(begun).toEqual([200, 304, 416]);
    const refused = await get('/files/refused.csv');
    expect([refused.status, refused.headers.get('etag')]).toEqual([500, null]);
    expect((await get('/files/none.csv')).status).toBe(404);
    expect(begun).toEqual([200, 304, 416, 200]);
  });

  it('answers conditions', async () => {
    const status = async (headers: Record<string, string>) => {
      const answer = await get('/files/a.csv', headers);
      return [answer.status, (await answer.text()).length];
    };
    const range = 'bytes=5-6';
    expect(await status({ 'if-match': '"other"' })).toEqual([412, 0]);
    expect(await status({ 'if-match': '"e1"' })).toEqual([200, 10]);
    expect(await status({ 'if-none-match': '"e1"' })).toEqual([304, 0]);
    expect(await status({ range, 'if-range': '"e1"' })).toEqual([206, 2]);
    expect(await status({ range, 'if-range': '"other"' })).toEqual([200, 10]);
  });

  it.each(['none.csv', 'folder', '..%2f..%2fetc%2fpasswd', '..', '.', 'x'.repeat(300)])(
    'finds nothing at %s',
    async (path) => {
      expect((await get(`/files/${path}`)).status).toBe(404);
    },
  );

  it('fails for a file that is there and cannot be read: nobody shall take it for one that is not', async () => {
    await symlink('loop.csv', join(root, 'loop.csv'));
    expect((await get('/files/loop.csv')).status).toBe(500);
  });

  it('looks into folders whose names begin with a dot', async () => {
    expect(await (await get('/files/.dots%2fa.csv')).text()).toBe('0123456789');
  });

  it('cuts an answer off when the file cannot be read to its end, and tells why', async () => {
    const client = connect(Number(new URL(service.url).port), '127.0.0.1');
    client.write('GET /files/shrinking.csv HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(client, 'readable');
    await truncate(join(root, 'shrinking.csv'), 10);
    client.resume();
    await once(client, 'close');
    const [bytes = 0] = await told(1);
    expect(bytes).toBeLessThan(HUGE);
    expect(failed).toEqual(['Error: shrinking.csv became shorter while it was read']);
  });

  it('fails for a file that is not as long as it should be: half of it must not pass for the whole', async () => {
    await writeFile(join(root, 'cut.csv'), '01234');
    expect((await get('/files/cut.csv')).status).toBe(500);
    expect((await get('/files/cut.csv', { range: 'bytes=0-1' })).status).toBe(500);
    expect((await get('/files/cut.csv', { range: 'bytes=7-8' })).status).not.toBe(206);
    expect((await get('/files/cut.csv', {}, 'HEAD')).status).toBe(500);
    expect(begun).toEqual([]);
  });

  it('ends with a client that leaves, also before the file was looked for', async () => {
    gate = Promise.withResolvers();
    const [port, path] = [Number(new URL(service.url).port), '/later/huge.csv'];
    const early = connect(port, '127.0.0.1');
    early.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await once(early, 'connect');
    early.resetAndDestroy();
    await once(early, 'close');
    const late = connect(port, '127.0.0.1');
    late.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    setImmediate(() => gate.resolve());
    await once(late, 'data');
    late.resetAndDestroy();
    const [one = 0, other = 0] = await told(2);
    expect(Math.max(one, other)).toBeLessThan(HUGE);
  });

  it('ends with a client that takes nothing any more', async () => {
    const client = connect(Number(new URL(service.url).port), '127.0.0.1');
    client.write('GET /files/huge.csv HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(client, 'readable');
    // Never read.
    const [bytes = 0] = await told(1);
    expect(bytes).toBeLessThan(HUGE);
    client.destroy();
  });

  it('ends with a client that takes less than it must, however steadily', async () => {
    const client = connect(Number(new URL(service.url).port), '127.0.0.1');
    client.write('GET /files/slow.csv HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(client, 'readable');
    const sipping = setInterval(() => client.read(64 * 1024) ?? client.read(), 20);
    const [bytes = 0] = await told(1);
    clearInterval(sipping);
    expect(bytes).toBeLessThan(HUGE);
    expect(failed).toEqual([]);
    client.destroy();
  });
});
