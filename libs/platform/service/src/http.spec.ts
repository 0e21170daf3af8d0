import { once } from 'node:events';
import { connect } from 'node:net';
import { Section } from '@delivery/platform/config';
import { waitFor } from '@delivery/platform/testing';
import { Body, Controller, Delete, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { bootService, HttpConfig, LogConfig, type RunningService } from './index';

class TestConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;
}

@Controller('v1/things')
class ThingsController {
  @Get(':id')
  read(@Req() { ip }: FastifyRequest): object {
    return { ip };
  }

  @Post()
  create(@Body() body: unknown): object {
    return { body: body ?? 'none' };
  }

  @Delete(':id')
  remove(@Body() body: unknown): object {
    return { body: body ?? 'none' };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let service: RunningService;

beforeAll(async () => {
  service = await bootService({ name: 'http-test', config: TestConfig, module: () => ThingsModule }, {});
});
afterAll(() => service.stop());

async function send(method: string, path: string, body: NonNullable<RequestInit['body']> | undefined) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(service.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, body: await answer.json() };
}

/** What comes back on the socket for bytes that no client library would send. */
async function exchange(bytes: string): Promise<{ head: string; body: unknown }> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { head, body: JSON.parse(body) };
}

describe('bodies', () => {
  it('are UTF-8: other bytes are refused, not replaced', async () => {
    expect(await send('POST', '/v1/things', JSON.stringify({ id: 'Zoë' }))).toEqual({
      status: 201,
      body: { body: { id: 'Zoë' } },
    });
    expect(await send('POST', '/v1/things', Buffer.from('{"id":"Zo\xeb"}', 'latin1'))).toMatchObject({ status: 400 });
    expect(await send('POST', '/v1/things', Buffer.from('\ufeff{"id":"a"}'))).toMatchObject({ status: 201 });
  });

  it('of no bytes are none, whatever Content-Type says', async () => {
    expect(await send('DELETE', '/v1/things/1', undefined)).toEqual({ status: 200, body: { body: 'none' } });
    expect(await send('POST', '/v1/things', '')).toEqual({ status: 201, body: { body: 'none' } });
  });
});

describe('what no route ever sees', () => {
  it.each([
    ['a path that cannot be decoded', '/v1/things/%', 400, 'BadRequest'],
    ['a part of the path that is too long', `/v1/things/${'x'.repeat(1025)}`, 414, 'URITooLong'],
  ])('has the body of every error and a request id: %s', async (_, path, code, name) => {
    const answer = await fetch(service.url + path, { headers: { 'x-request-id': 'mine' } });
    expect(answer.status).toBe(code);
    expect(answer.headers.get('x-request-id')).toBe('mine');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({ code, name, message: expect.stringMatching(/\.$/), errors: {} });
  });

  it.each([
    ['no HTTP', 'NONSENSE\r\n\r\n', 400, 'BadRequest'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'RequestHeaderFieldsTooLarge',
    ],
  ])('has the body of every error: %s', async (_, bytes, code, name) => {
    const { head, body } = await exchange(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    expect(head).toContain('Cache-Control: no-store');
    expect(body).toEqual({ code, name, message: expect.stringMatching(/\.$/), errors: {} });
  });
});

describe('where a request came from', () => {
  const ipOf = async (url: string, forwarded: string) => {
    const answer = await fetch(`${url}/v1/things/1`, { headers: { 'x-forwarded-for': forwarded } });
    return Object(await answer.json()).ip;
  };

  it('is who connected, whatever a header says, unless that is a proxy to be trusted', async () => {
    expect(await ipOf(service.url, '203.0.113.7')).toBe('127.0.0.1');
    const env = { HTTP_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' };
    const behind = await bootService({ name: 'proxied', config: TestConfig, module: () => ThingsModule }, env);
    expect(await ipOf(behind.url, '203.0.113.7')).toBe('203.0.113.7');
    expect(await ipOf(behind.url, '198.51.100.1, 203.0.113.7, 10.1.2.3')).toBe('203.0.113.7');
    await behind.stop();
  });

  it.each(['10.0.0.0/33', 'proxy', '10.0.0.0/8/8', '::1/129', '*'])(
    'is not taken from a proxy named %s',
    async (text) => {
      const env = { HTTP_TRUSTED_PROXIES: text };
      const booting = bootService({ name: 'proxied', config: TestConfig, module: () => ThingsModule }, env);
      await expect(booting).rejects.toThrow('HTTP_TRUSTED_PROXIES');
    },
  );
});

describe('a service that closes', () => {
  it('tells late requests to come back', async () => {
    const closing = await bootService({ name: 'closing', config: TestConfig, module: () => ThingsModule }, {});
    const port = Number(new URL(closing.url).port);
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    // Its body is still on the way when the service closes, and the next request comes on the same connection.
    socket.write('POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{');
    await once(closing.app.getHttpServer(), 'request');
    const stopped = closing.stop();
    await waitFor(async () => !closing.app.getHttpServer().listening, { describe: 'the server to close' });
    socket.write('}GET /v1/things/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await once(socket, 'close');
    await stopped;
    expect(text).toMatch(/HTTP\/1.1 201[^]*HTTP\/1.1 503[^]*retry-after: 1\r\ncache-control: no-store/i);
  });
});
