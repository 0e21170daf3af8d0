import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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
const lengths: Readonly<Record<string, number>> = { 'a.csv': 10, 'huge.csv': HUGE, 'cut.csv': 10 };
let root: string;
/** What each answer sent, in their order. */
let sent: number[] = [];
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
  const served = await serveFile(request, reply, { root, path: name, bytes, etag: '"e1"', headers, stalledMs: 300 });
  if (served === undefined) throw new NotFoundException();
  void served.sent.then((bytes) => sent.push(bytes));
}

@Module({ controllers: [FilesController] })
class FilesModule {}

let service: RunningService;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-'));
  await writeFile(join(root, 'a.csv'), '0123456789');
  await writeFile(join(root, 'empty.csv'), '');
  await writeFile(join(root, 'huge.csv'), Buffer.alloc(HUGE, 'x'));
  await writeFile(join(root, '.hidden'), 'secret');
  await mkdir(join(root, 'folder'));
  service = await bootService({ name: 'files-test', config: TestConfig, module: () => FilesModule }, {});
});
afterAll(async () => {
  await service.stop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  sent = [];
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
  ])('answers the range %s', async (range, status, text, contentRange) => {
    const answer = await get('/files/a.csv', { range });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      ...[status, text, contentRange],
    ]);
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
    expect(await status({ 'if-unmodified-since': 'Mon, 02 Feb 2015 10:00:00 GMT' })).toEqual([412, 0]);
    expect(await status({ range, 'if-range': '"e1"' })).toEqual([206, 2]);
    expect(await status({ range, 'if-range': '"other"' })).toEqual([200, 10]);
  });

  it.each(['none.csv', 'folder', '.hidden', '..%2fetc', 'x'.repeat(300)])('finds nothing at %s', async (path) => {
    expect((await get(`/files/${path}`)).status).toBe(404);
  });

  it('fails for a file that is there and cannot be read: nobody shall take it for one that is not', async () => {
    await symlink('loop.csv', join(root, 'loop.csv'));
    expect((await get('/files/loop.csv')).status).toBe(500);
  });

  it('fails for a file that is not as long as it should be: half of it must not pass for the whole', async () => {
    await writeFile(join(root, 'cut.csv'), '01234');
    expect((await get('/files/cut.csv')).status).toBe(500);
    expect((await get('/files/cut.csv', { range: 'bytes=0-1' })).status).toBe(500);
    expect((await get('/files/cut.csv', { range: 'bytes=7-8' })).status).not.toBe(206);
    expect((await get('/files/cut.csv', {}, 'HEAD')).status).toBe(500);
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
});
