import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CounterSpec, GaugeSpec, HistogramSpec, MetricSpec } from './metric-specs';

/**
 * The service's own metrics registry (never prom-client's global one, which services in one process would share). It has
 * what the service's definition lists, from the start, and nothing else.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  constructor(specs: readonly MetricSpec[] = []) {
    for (const spec of specs) this.register(spec);
  }

  /** @throws Error for a metric that the service's definition does not list */
  counter<L extends string>(spec: CounterSpec<L>): Counter<L> {
    const found = this.registry.getSingleMetric(spec.name);
    if (found instanceof Counter) return found;
    throw unlisted(spec);
  }

  /** @throws Error for a metric that the service's definition does not list */
  gauge<L extends string>(spec: GaugeSpec<L>): Gauge<L> {
    const found = this.registry.getSingleMetric(spec.name);
    if (found instanceof Gauge) return found;
    throw unlisted(spec);
  }

  /** A gauge that is asked when it is read, so that it cannot drift from what is. */
  gaugeOf<L extends string>(spec: GaugeSpec<L>, collect: (gauge: Gauge<L>) => void): void {
    const gauge = this.gauge(spec);
    Object.assign(gauge, { collect: () => collect(gauge) });
  }

  /** @throws Error for a metric that the service's definition does not list */
  histogram<L extends string>(spec: HistogramSpec<L>): Histogram<L> {
    const found = this.registry.getSingleMetric(spec.name);
    if (found instanceof Histogram) return found;
    throw unlisted(spec);
  }

  /** Process metrics: memory, CPU, garbage collection, event loop lag, open files. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  private register({ kind, name, help, labels, buckets }: MetricSpec): void {
    const options = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (kind === 'counter') new Counter(options);
    else if (kind === 'gauge') new Gauge(options);
    else new Histogram({ ...options, ...(buckets && { buckets: [...buckets] }) });
  }
}

function unlisted({ name }: MetricSpec): Error {
  return new Error(`The metric ${name} is not in the metrics of this service's definition: add it there.`);
}
