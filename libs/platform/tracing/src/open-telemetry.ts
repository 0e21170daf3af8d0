import type { Context, Span as SdkSpan, SpanContext as SdkSpanContext } from '@opentelemetry/api';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';
import { formatTraceparent, type SpanContext } from './traceparent';
import { maxLinks, type OpenSpan, type SpanAttributes, type Tracer } from './tracing';
import type { SamplerName, TracingConfig } from './tracing.config';

const exportTimeoutMs = 5_000;
/** What a process that is killed can lose of its spans. */
const sendEveryMs = 1_000;
const WARN_EVERY_MS = 60_000;

/** The SDK, loaded by whoever wants traces: it takes memory that a service without them has no use for. */
async function loadSdk() {
  const [api, hooks, otlp, resources, sdk] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
  ]);
  return { api, hooks, otlp, resources, sdk };
}

type Sdk = Awaited<ReturnType<typeof loadSdk>>;

/**
 * OpenTelemetry's SDK behind this library's `Tracer`: the one file that knows it.
 *
 * @param options.exporter - where spans go, in place of the collector that the settings name
 * @param options.warn - told at most once a minute what went wrong
 */
export async function openTracer(
  serviceName: string,
  config: TracingConfig,
  { exporter, warn }: { exporter?: SpanExporter; warn?: (message: string) => void } = {},
): Promise<{ tracer: Tracer; stop(): Promise<void> }> {
  const loaded = await loadSdk();
  const { api, hooks, resources, sdk } = loaded;
  const { context, trace, SpanKind } = api;
  if (warn !== undefined) listen(loaded, warn);
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  const { envDetector, serviceInstanceIdDetector } = resources;
  const detected = resources.detectResources({ detectors: [envDetector, serviceInstanceIdDetector] });
  const processor = new sdk.BatchSpanProcessor({
    exporter: exporter ?? otlpExporter(loaded, config),
    exportTimeoutMillis: exportTimeoutMs,
    scheduledDelayMillis: sendEveryMs,
  });
  const provider = new sdk.TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word.
    resource: resources.resourceFromAttributes({ 'service.name': serviceName }).merge(detected),
    sampler: samplerOf(loaded, config.sampler, config.samplerArg),
    spanLimits: { linkCountLimit: maxLinks },
    spanProcessors: [processor],
  });
  const { INTERNAL: internal, SERVER: server, CLIENT: client, PRODUCER: producer, CONSUMER: consumer } = SpanKind;
  const kinds = { internal, server, client, producer, consumer };
  const spans = provider.getTracer('consent-delivery');
  const tracer: Tracer = {
    start(name, { kind = 'internal', attributes = {}, root = false, parentContext, linked }) {
      const parent = parentContext
        ? trace.setSpanContext(api.ROOT_CONTEXT, toSdk(loaded, parentContext))
        : context.active();
      const links = linked.map((each) => ({ context: toSdk(loaded, each) }));
      const options = { kind: kinds[kind], attributes: defined(attributes), links, root };
      const span = spans.startSpan(name, options, parent);
      return openSpan(loaded, span, trace.setSpan(parent, span));
    },
    current: () => fromSdk(trace.getActiveSpan()?.spanContext()),
  };
  const stop = async (): Promise<void> => {
    context.disable();
    api.diag.disable();
    // What the collector does not take now is lost, and that is told already.
    await provider.shutdown().catch(() => undefined);
  };
  return { tracer, stop };
}

/** The SDK drops what it cannot send, and tells only its own log of it: with every request. */
function listen({ api }: Sdk, warn: (message: string) => void): void {
  let quietUntil = 0;
  const error = (message: string): void => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + WARN_EVERY_MS;
    warn(message);
  };
  const ignore = (): void => undefined;
  const logger = { error, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true });
}

function openSpan({ api }: Sdk, span: SdkSpan, within: Context): OpenSpan {
  const own = fromSdk(span.spanContext());
  return {
    traceparent: own?.sampled === true ? formatTraceparent(own) : undefined,
    set: (attributes) => void span.setAttributes(defined(attributes)),
    run: (work) => api.context.with(within, work),
    end(error) {
      if (error !== undefined) {
        span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.setAttribute('error.type', kindOf(error));
      }
      span.end();
    },
  };
}

/** Only the kind of a failure: its words may quote what a customer sent. */
function kindOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : typeof error;
}

/**
 * One decision for a whole trace, by its id, in every service alike. What a stranger's `traceparent` says about keeping
 * is not asked: he could make us keep everything.
 */
function samplerOf(loaded: Sdk, name: SamplerName, ratio: number): Sampler {
  const root = rootSampler(loaded, name, ratio);
  return new loaded.sdk.ParentBasedSampler({ root, remoteParentSampled: root, remoteParentNotSampled: root });
}

function rootSampler({ sdk }: Sdk, name: SamplerName, ratio: number): Sampler {
  if (name.endsWith('always_off')) return new sdk.AlwaysOffSampler();
  if (name.endsWith('traceidratio')) return new sdk.TraceIdRatioBasedSampler(ratio);
  return new sdk.AlwaysOnSampler();
}

function otlpExporter({ otlp }: Sdk, { endpoint, tracesEndpoint, headers }: TracingConfig): SpanExporter {
  const url = tracesEndpoint ?? (endpoint && `${endpoint.replace(/\/$/, '')}/v1/traces`);
  return new otlp.OTLPTraceExporter({
    ...(url && { url }),
    ...(headers && { headers: headersOf(headers) }),
    timeoutMillis: exportTimeoutMs,
  });
}

/** As the variable has it: `name=value`, percent-encoded where needed, comma separated. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const [name = '', ...value] = pair.split('=');
    return [name.trim(), decodeURIComponent(value.join('=').trim())] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}

function defined(attributes: SpanAttributes): Record<string, string | number | boolean> {
  const entries = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return Object.fromEntries(entries);
}

function toSdk({ api }: Sdk, { traceId, spanId, sampled }: SpanContext): SdkSpanContext {
  const traceFlags = sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}

function fromSdk(own: SdkSpanContext | undefined): SpanContext | undefined {
  return own && { traceId: own.traceId, spanId: own.spanId, sampled: (own.traceFlags & 1) === 1 };
}
