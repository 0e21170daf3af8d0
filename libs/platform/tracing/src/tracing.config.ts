import { Env } from '@delivery/platform/config';
import { IsIn, IsNumber, IsOptional, IsUrl, Max, Min } from 'class-validator';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

const url = { require_tld: false, protocols: ['http', 'https'], require_protocol: true };

/**
 * Traces, by OpenTelemetry's own variables. Off, and nothing of the SDK loaded, unless an endpoint or the exporter is set.
 * The exporter reads the other `OTEL_EXPORTER_OTLP_*` variables (certificates, compression, timeout) by itself.
 */
export class TracingConfig {
  @Env({
    name: 'OTEL_TRACES_EXPORTER',
    description: 'otlp sends traces, none does not; not set: otlp when an endpoint is set.',
    example: 'otlp',
  })
  @IsOptional()
  @IsIn(['otlp', 'none'])
  exporter?: string;

  @Env({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    description: 'Where a collector takes OTLP over HTTP; /v1/traces is added.',
    example: 'http://otel-collector:4318',
  })
  @IsOptional()
  @IsUrl(url)
  endpoint?: string;

  @Env({
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    description: 'The whole URL for traces, in place of OTEL_EXPORTER_OTLP_ENDPOINT.',
  })
  @IsOptional()
  @IsUrl(url)
  tracesEndpoint?: string;

  @Env({
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    description: 'Headers of each request to the collector: name=value, comma separated.',
    secret: true,
  })
  @IsOptional()
  headers?: string;

  @Env({
    name: 'OTEL_TRACES_SAMPLER',
    description:
      'Which traces are kept. What callers and producers decided about theirs is never taken over: parentbased_ only ' +
      'means that a trace is kept or dropped as a whole, which is always so.',
    default: 'parentbased_always_on',
    example: 'traceidratio',
  })
  @IsIn(SAMPLERS)
  sampler: SamplerName;

  @Env({
    name: 'OTEL_TRACES_SAMPLER_ARG',
    description: 'The part of all traces that traceidratio keeps.',
    default: '1',
    example: '0.01',
  })
  @IsNumber()
  @Min(0)
  @Max(1)
  samplerArg: number;
}

/** Whether these settings ask for traces. */
export function tracingWanted({ exporter, endpoint, tracesEndpoint }: TracingConfig): boolean {
  if (exporter !== undefined) return exporter === 'otlp';
  return endpoint !== undefined || tracesEndpoint !== undefined;
}
