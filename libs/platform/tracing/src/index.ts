export { TracingConfig, tracingWanted } from './tracing.config';
export { parseTraceparent, type SpanContext } from './traceparent';
export {
  currentTraceparent,
  detachedSpan,
  inSpan,
  maxLinks,
  type OpenSpan,
  type Span,
  type SpanAttributes,
  type SpanKind,
  type SpanOptions,
  tracing,
} from './tracing';
export { startTracing, type StopTracing } from './start-tracing';
