import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { detachedSpan, type OpenSpan, tracing } from '@delivery/platform/tracing';
import { Logger } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { errorCodes, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { HealthReport } from './health-checks';
import type { HttpConfig } from './http.config';
import { runInLogContext } from './logger';
import type { Metrics } from './metrics';
import { refuseConnection, refuseUrl } from './refusals';
import { malformedRequests, requestSeconds } from './service-metrics';
import type { ServiceParts } from './service.module';

const REQUEST_ID = /^[A-Za-z0-9_.:-]{1,64}$/;
/** Longest value of one path parameter, decoded: a customer's own id of 512 characters, of two UTF-16 units each. */
const MAX_PARAM_LENGTH = 1024;
/** A client that sends its request a byte at a time must not hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 60_000;
const SYSTEM_ROUTES: ReadonlySet<string> = new Set(['/health/live', '/health/ready', '/metrics']);

/** Fastify as every service uses it: JSON bodies only, with a limit; a request id; no logging of its own. */
export function createHttpAdapter(config: HttpConfig, metrics: Metrics): FastifyAdapter {
  const malformed = metrics.counter(malformedRequests);
  const refused = (status: number | undefined): void => {
    if (status !== undefined) malformed.inc({ status });
  };
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimitBytes,
    genReqId: requestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: config.trustedProxies.length > 0 && config.trustedProxies,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      refused(refuseUrl(error, request, reply)),
    clientErrorHandler: (error, socket) => refused(refuseConnection(error, socket)),
    logger: false,
  });
  // Fastify reads text/plain as a string by default: no API here has such a body, so it is 415 like any other.
  const instance = adapter.getInstance<FastifyInstance>();
  instance.removeContentTypeParser('text/plain');
  parseJsonStrictly(instance);
  return adapter;
}

/**
 * JSON as RFC 8259 has it: in UTF-8. Fastify's own parser puts U+FFFD in the place of other bytes, which would make one
 * text of two ids. A body of no bytes is no body: many clients send Content-Type with each request, with DELETE too.
 */
function parseJsonStrictly(instance: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const parse = instance.getDefaultJsonParser('error', 'error');
  instance.removeContentTypeParser('application/json');
  instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined);
    let text: string;
    try {
      text = utf8.decode(body);
    } catch {
      return done(new errorCodes.FST_ERR_CTP_INVALID_JSON_BODY());
    }
    void parse(request, text, done);
  });
}

/** Request ids, log context, request metrics, and the routes every service has. */
export function addSystemRoutes(instance: FastifyInstance, parts: ServiceParts): void {
  endSilentConnections(instance);
  askToComeBack(instance);
  addRequestContext(instance);
  if (tracing.on) addRequestSpans(instance);
  addRequestMetrics(instance, parts);
  // Registered on Fastify itself: an app's guards, prefix and limits must not stand before a probe.
  instance.get('/health/live', async (_, reply) => sendHealth(reply, await parts.health.liveness()));
  instance.get('/health/ready', async (_, reply) => sendHealth(reply, await parts.health.readiness()));
  instance.get('/metrics', async (_, reply) => {
    const { registry } = parts.metrics;
    return reply.header('content-type', registry.contentType).send(await registry.metrics());
  });
}

function sendHealth(reply: FastifyReply, report: HealthReport): FastifyReply {
  return reply
    .status(report.status === 'ok' ? 200 : 503)
    .header('cache-control', 'no-store')
    .send(report);
}

/** A caller's own id is kept when it is harmless, so that his logs and ours can be matched. */
function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function addRequestContext(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    runInLogContext({ request_id: request.id }, done);
  });
}

/** One span per request, but for probes; a caller's own trace goes on in it. */
function addRequestSpans(instance: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  instance.addHook('onRequest', (request, _, done) => {
    const route = routeOf(request);
    if (SYSTEM_ROUTES.has(route)) return done();
    const parent = request.headers['traceparent'];
    const span = detachedSpan(`${request.method} ${route}`, {
      kind: 'server',
      ...(typeof parent === 'string' && { parent }),
      attributes: { 'http.request.method': request.method, 'http.route': route, 'delivery.request_id': request.id },
    });
    spans.set(request, span);
    span.run(done);
  });
  // Reading a body leaves the context in which the request began.
  instance.addHook('preValidation', (request, _, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.run(done);
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': reply.statusCode });
    span?.end(reply.statusCode >= 500 ? { code: reply.statusCode } : undefined);
    done();
  });
}

function addRequestMetrics(instance: FastifyInstance, { metrics }: ServiceParts): void {
  const logger = new Logger('Http');
  const seconds = metrics.histogram(requestSeconds);
  instance.addHook('onResponse', (request, reply, done) => {
    const fields = { method: request.method, route: routeOf(request), status: reply.statusCode };
    seconds.observe(fields, reply.elapsedTime / 1000);
    if (reply.statusCode >= 500 && !fields.route.startsWith('/health/')) {
      runInLogContext({ request_id: request.id }, () =>
        logger.error({ ...fields, duration_ms: Math.round(reply.elapsedTime) }, 'the request failed'),
      );
    }
    done();
  });
}

/**
 * Node's `closeIdleConnections` leaves connections alone that never sent a request (browsers and load balancers open
 * such in advance), and `close` waits for them: one would hold up every stop.
 */
function endSilentConnections(instance: FastifyInstance): void {
  const silent = new Set<Socket>();
  let closing = false;
  instance.server.on('connection', (socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  instance.server.on('request', (request) => silent.delete(request.socket));
  instance.addHook('preClose', (done) => {
    closing = true;
    silent.forEach((socket) => socket.destroy());
    done();
  });
}

/** While it closes, Fastify answers 503 by itself: a client shall know that it may come back, to whoever is there then. */
function askToComeBack(instance: FastifyInstance): void {
  let closing = false;
  instance.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  instance.server.prependListener('request', (_, response) => {
    if (closing) response.setHeader('retry-after', '1').setHeader('cache-control', 'no-store');
  });
}

/** The route's pattern: a path with ids in it would make one time series per id. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unknown';
}
