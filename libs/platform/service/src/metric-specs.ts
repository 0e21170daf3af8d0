/**
 * What a metric is, declared once where it is counted. A service lists all of its own in its definition: that list is
 * what `/metrics` can show, what the reference is made from, and what alert rules are checked against.
 */
export interface MetricSpec<L extends string = string, K extends MetricKind = MetricKind> {
  readonly kind: K;
  /** `<noun>_<past participle>_total`, `_seconds`, `_bytes`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Each of few possible values: never an organization, a user, a run, or a text that somebody sent. */
  readonly labels: readonly L[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';
export type CounterSpec<L extends string = string> = MetricSpec<L, 'counter'>;
export type GaugeSpec<L extends string = string> = MetricSpec<L, 'gauge'>;
export type HistogramSpec<L extends string = string> = MetricSpec<L, 'histogram'>;

/** Seconds; from a cached answer to a slow upload of one part. */
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function counterSpec<L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): CounterSpec<L> {
  return { kind: 'counter', name, help, labels };
}

export function gaugeSpec<L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): GaugeSpec<L> {
  return { kind: 'gauge', name, help, labels };
}

/** @param buckets - upper bounds; by default seconds from 1 ms to 30 s */
export function histogramSpec<L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
  buckets: readonly number[] = defaultBuckets,
): HistogramSpec<L> {
  return { kind: 'histogram', name, help, labels, buckets };
}
