import { formatTraceparent, parseTraceparent, type SpanContext } from './traceparent';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: SpanAttributes;
  /** `traceparent` of the span that this one belongs to, in place of the present one; what is not valid is ignored. */
  readonly parent?: string | undefined;
  /** Begins a trace of its own. */
  readonly root?: boolean;
  /** `traceparent`s of what led to this; what is not valid is ignored, and so is what exceeds {@link maxLinks}. */
  readonly links?: Iterable<string | undefined>;
}

/** A span while its work goes on. */
export interface Span {
  set(attributes: SpanAttributes): void;
  /** What others continue this trace with; undefined when it is not kept. */
  readonly traceparent: string | undefined;
}

/** A span whose end is told, for work that is no one function. */
export interface OpenSpan extends Span {
  /** Runs with this span as the present one. */
  run<T>(work: () => T): T;
  end(error?: unknown): void;
}

/** How spans are made; the SDK's, once it is started. */
export interface Tracer {
  start(name: string, options: SpanOptions & { parentContext?: SpanContext; linked: readonly SpanContext[] }): OpenSpan;
  current(): SpanContext | undefined;
}

/** Spans of more events than this tell of the first ones only (the default of OpenTelemetry's limits, too). */
export const maxLinks = 128;

const noSpan: OpenSpan = {
  set: () => undefined,
  traceparent: undefined,
  run: (work) => work(),
  end: () => undefined,
};

let tracer: Tracer | undefined;

/** Whether spans are made at all: ask before work that only serves them. */
export const tracing = {
  get on(): boolean {
    return tracer !== undefined;
  },
};

/** Only for whoever starts or stops the SDK, and for tests. One per process, as the SDK has it. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/**
 * Does `work` inside a span, which ends with it; what it throws is told in the span. Without tracing this is a call of
 * `work` and nothing else: options that cost something are given as a function.
 */
export async function inSpan<T>(
  name: string,
  options: SpanOptions | (() => SpanOptions),
  work: (span: Span) => Promise<T>,
): Promise<T> {
  if (tracer === undefined) return work(noSpan);
  const span = detachedSpan(name, typeof options === 'function' ? options() : options);
  try {
    const result = await span.run(() => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** A span that lasts until it is told to end. */
export function detachedSpan(name: string, options: SpanOptions = {}): OpenSpan {
  if (tracer === undefined) return noSpan;
  const parentContext = parseTraceparent(options.parent);
  const linked = linksOf(options.links ?? []);
  return tracer.start(name, { ...options, linked, ...(parentContext && { parentContext }) });
}

/** The present span's place, for what others continue; undefined without tracing, or when the trace is not kept. */
export function currentTraceparent(): string | undefined {
  const context = tracer?.current();
  return context?.sampled === true ? formatTraceparent(context) : undefined;
}

function linksOf(texts: Iterable<string | undefined>): SpanContext[] {
  const found = new Map<string, SpanContext>();
  for (const text of texts) {
    if (found.size === maxLinks) break;
    const context = text !== undefined && found.has(text) ? undefined : parseTraceparent(text);
    if (text !== undefined && context !== undefined) found.set(text, context);
  }
  return [...found.values()];
}
