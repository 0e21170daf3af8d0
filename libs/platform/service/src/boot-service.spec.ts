import { connect } from 'node:net';
import { Section } from '@delivery/platform/config';
import { Body, Controller, Get, Logger, Module, Post } from '@nestjs/common';
import { EventPattern, type CustomTransportStrategy, Server } from '@nestjs/microservices';
import {
  bootService,
  buildOpenApi,
  counterSpec,
  HealthChecks,
  HttpConfig,
  Lifecycle,
  LogConfig,
  Metrics,
} from './index';
import type { RunningService, ServiceDefinition } from './index';

class TestConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;
}

const log: string[] = [];
let release: () => void = () => undefined;

@Controller()
class TestController {
  private readonly logger = new Logger('Test');

  @Get('/v1/things/:id')
  thing(): object {
    this.logger.log({ size: 3, authorization: 'CANARY-field' }, 'a thing was asked for');
    return { ok: true };
  }

  @Post('/v1/things')
  create(@Body() body: object): object {
    return body;
  }

  @Get('/v1/slow')
  async slow(): Promise<object> {
    log.push('slow: begun');
    await new Promise<void>((resolve) => (release = resolve));
    log.push('slow: answered');
    return { ok: true };
  }

  @Get('/v1/broken')
  broken(): never {
    throw new Error('broken');
  }

  @EventPattern('nudge')
  nudged(event: unknown): void {
    log.push(`nudged ${String(event)}`);
  }
}

@Module({ controllers: [TestController] })
class TestModule {}

class FakeTransport extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    log.push(`transport: listen ${[...this.getHandlers().keys()].join()}`);
    callback();
  }
  close(): void {
    log.push('transport: close');
  }
  on(): void {}
  unwrap<T>(): T {
    throw new Error('nothing to unwrap');
  }
}

const definition: ServiceDefinition<TestConfig> = {
  name: 'test-service',
  config: TestConfig,
  module: () => TestModule,
};

const running: RunningService[] = [];
async function boot(extra: Partial<ServiceDefinition<TestConfig>> = {}, env = {}, lines?: string[]) {
  const options = lines === undefined ? {} : { logs: { write: (line: string) => void lines.push(line) } };
  const service = await bootService({ ...definition, ...extra }, env, options);
  running.push(service);
  return service;
}

async function get(service: RunningService, path: string, init?: RequestInit) {
  const response = await fetch(service.url + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: (): unknown => JSON.parse(text) };
}

beforeEach(() => log.splice(0));
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

describe('bootService', () => {
  it('answers health and metrics, each service with a registry of its own', async () => {
    const made = counterSpec('things_made_total', 'Things.', ['kind']);
    const [one, two] = [await boot({ metrics: [made] }), await boot({ name: 'other' })];
    expect(one.url).not.toBe(two.url);
    one.app.get(Metrics).counter(made).inc({ kind: 'a' }, 2);
    one.app.get(Metrics).counter(made).inc({ kind: 'a' });
    expect(() => two.app.get(Metrics).counter(made)).toThrow('things_made_total is not in the metrics');
    await get(one, '/v1/things/7');

    expect((await get(one, '/health/ready')).json()).toEqual({ status: 'ok', checks: {} });
    expect((await get(one, '/health/live')).json()).toEqual({ status: 'ok', checks: {} });
    const metrics = (await get(one, '/metrics')).text;
    expect(metrics).toContain('things_made_total{kind="a"} 3');
    expect(metrics).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(metrics).toContain(
      'http_request_duration_seconds_count{method="GET",route="/v1/things/:id",status="200"} 1',
    );
    expect((await get(two, '/metrics')).text).not.toContain('things_made_total');
  });

  it('is not ready while a check throws, and names the check and the reason', async () => {
    const service = await boot();
    const health = service.app.get(HealthChecks);
    let fault: Error | undefined = new Error('partition 3 is stopped');
    health.register('database', () => undefined);
    const remove = health.register('recorder', async () => {
      if (fault !== undefined) throw fault;
    });
    const red = await get(service, '/health/ready');
    expect(red.status).toBe(503);
    expect(red.json()).toEqual({
      status: 'unavailable',
      checks: { database: { status: 'ok' }, recorder: { status: 'failing', reason: 'partition 3 is stopped' } },
    });
    expect((await get(service, '/health/live')).status).toBe(200);
    fault = undefined;
    expect((await get(service, '/health/ready')).status).toBe(200);

    fault = new Error('the loop ended');
    remove();
    health.register(
      'loop',
      () => {
        throw new Error('the loop ended');
      },
      { liveness: true },
    );
    expect((await get(service, '/health/live')).status).toBe(503);
  });

  it('stops in order: readiness, intake, requests in hand, then what they use', async () => {
    const lines: string[] = [];
    const service = await boot({ microservices: () => [new FakeTransport()] }, {}, lines);
    const lifecycle = service.app.get(Lifecycle);
    lifecycle.onClose(() => void log.push('pool: closed'), 'pool');
    lifecycle.onClose(() => void log.push('producer: closed'), 'producer');
    lifecycle.onClose(() => Promise.reject(new Error('refused')), 'broken');
    const ready: unknown[] = [];
    lifecycle.onStopIntake(async () => {
      ready.push((await get(service, '/health/ready')).json());
      log.push(`intake: stopped, aborted ${lifecycle.stopping.aborted}`);
      release();
    });
    const slow = get(service, '/v1/slow');
    while (!log.includes('slow: begun')) await new Promise((resolve) => setImmediate(resolve));

    const stops = [service.stop(), service.stop()];
    expect((await slow).status).toBe(200);
    await Promise.all(stops);
    expect(ready).toEqual([{ status: 'unavailable', reason: 'stopping', checks: {} }]);
    expect(log.filter((line, index) => log.indexOf(line) === index)).toEqual([
      'transport: listen nudge',
      'slow: begun',
      'transport: close',
      'intake: stopped, aborted true',
      'slow: answered',
      'producer: closed',
      'pool: closed',
    ]);
    expect(lines).toEqual([expect.stringContaining('"step":"broken","msg":"a stop step failed"')]);
    await expect(fetch(service.url)).rejects.toThrow();
  });

  it('is not ready before everything has started', async () => {
    const seen: string[] = [];
    class LateTransport extends FakeTransport {
      constructor(private readonly health: HealthChecks) {
        super();
      }
      override listen(callback: () => void): void {
        void this.health.readiness().then((report) => {
          seen.push(JSON.stringify(report));
          callback();
        });
      }
    }
    await boot({ microservices: (app) => [new LateTransport(app.get(HealthChecks))] });
    expect(seen).toEqual(['{"status":"unavailable","checks":{},"reason":"starting"}']);
  });

  it('undoes a start that failed', async () => {
    const closed: string[] = [];
    class Failing extends FakeTransport {
      override listen(): void {
        throw new Error('the broker refused');
      }
    }
    const start = boot({
      microservices: (app) => {
        app.get(Lifecycle).onClose(() => void closed.push('pool'));
        return [new Failing()];
      },
    });
    await expect(start).rejects.toThrow('the broker refused');
    expect(closed).toEqual(['pool']);
  });

  it('limits bodies and reads JSON only, refusing prototypes', async () => {
    const service = await boot({}, { HTTP_BODY_LIMIT_BYTES: '1024' });
    const post = (type: string, body: string) =>
      get(service, '/v1/things', { method: 'POST', headers: { 'content-type': type }, body });
    expect((await post('application/json', '{"a":1}')).json()).toEqual({ a: 1 });
    expect((await post('application/json', JSON.stringify('x'.repeat(1100)))).status).toBe(413);
    expect((await post('text/plain', 'a')).status).toBe(415);
    expect((await post('application/x-www-form-urlencoded', 'a=1')).status).toBe(415);
    expect((await post('application/json', '{"__proto__":{"a":1}}')).status).toBe(400);
    expect((await post('application/json', '{')).status).toBe(400);
  });

  it('keeps a harmless request id, replaces any other, and logs it with every line of the request', async () => {
    const lines: string[] = [];
    const service = await boot({}, { LOG_LEVEL: 'info' }, lines);
    const kept = await get(service, '/v1/things/1?apiKey=CANARY-query', { headers: { 'x-request-id': 'abc.1' } });
    expect(kept.headers.get('x-request-id')).toBe('abc.1');
    const replaced = await get(service, '/v1/broken?apiKey=CANARY-query', {
      headers: { 'x-request-id': 'has space', authorization: 'Bearer CANARY-header', 'x-api-key': 'CANARY-header' },
    });
    expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const parsed = lines.map((line): Record<string, unknown> => JSON.parse(line));
    expect(parsed).toContainEqual(
      expect.objectContaining({
        level: 'info',
        service: 'test-service',
        context: 'Test',
        request_id: 'abc.1',
        size: 3,
        authorization: '[hidden]',
        msg: 'a thing was asked for',
      }),
    );
    expect(parsed).toContainEqual(
      expect.objectContaining({ level: 'error', route: '/v1/broken', status: 500, msg: 'the request failed' }),
    );
    expect(lines.join('')).not.toContain('CANARY');
    expect(parsed.filter(({ context }) => context === 'InstanceLoader')).toEqual([]);
  });

  it('serves the API reference when there is one, and can describe it without starting', async () => {
    const openApi = { title: 'Things', description: 'All about things.', version: '1' };
    const service = await boot({ openApi });
    expect((await get(service, '/docs')).status).toBe(200);
    const served = (await get(service, '/docs-json')).json();
    expect(served).toMatchObject({ info: { title: 'Things' }, paths: { '/v1/things/{id}': { get: {} } } });
    const config = { http: new HttpConfig(), log: new LogConfig() };
    expect(JSON.parse(JSON.stringify(await buildOpenApi({ ...definition, openApi }, config)))).toEqual(served);
    const plain = await boot();
    expect((await get(plain, '/docs')).status).toBe(404);
  });

  it('closes idle connections when it stops', async () => {
    const service = await boot();
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await service.stop();
    await closed;
  });
});
