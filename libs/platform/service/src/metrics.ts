import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a cached answer to a slow upload of one part. */
const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The service's own metrics registry (never prom-client's global one, which services in one process would share).
 * Names: `<noun>_<past participle>_total`, `_seconds`, `_bytes`; no label may hold a tenant.
 * Asking twice for one name returns the same metric.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  counter<L extends string = string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    const existing = this.registry.getSingleMetric(name);
    if (existing instanceof Counter) return existing;
    return new Counter<L>({ name, help, labelNames, registers: [this.registry] });
  }

  gauge<L extends string = string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    const existing = this.registry.getSingleMetric(name);
    if (existing instanceof Gauge) return existing;
    return new Gauge<L>({ name, help, labelNames, registers: [this.registry] });
  }

  /** @param buckets - upper bounds; by default seconds from 1 ms to 30 s */
  histogram<L extends string = string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = DEFAULT_BUCKETS,
  ): Histogram<L> {
    const existing = this.registry.getSingleMetric(name);
    if (existing instanceof Histogram) return existing;
    return new Histogram<L>({ name, help, labelNames, buckets: [...buckets], registers: [this.registry] });
  }

  /** Process metrics: memory, CPU, garbage collection, event loop lag, open files. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}
