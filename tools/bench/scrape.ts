/** A service's metrics at one moment, by series: `name{label="value",...}`. */
export type Scrape = ReadonlyMap<string, number>;

export async function scrape(port: number): Promise<Scrape> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  return parseMetrics(await answer.text());
}

export function parseMetrics(text: string): Scrape {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/**
 * What a histogram of seconds took in between two moments, over all series that have the labels given.
 * @returns milliseconds: the mean, and the bound of the bucket in which the 99th percentile is
 */
export function taken(histogram: string, labels: Readonly<Record<string, string>>, before: Scrape, after: Scrape) {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const grown = (part: string) =>
    [...after].flatMap(([series, value]) =>
      series.startsWith(`${histogram}_${part}{`) && wanted.every((label) => series.includes(label))
        ? [{ bound: Number(/le="([^"]+)"/.exec(series)?.[1]), by: value - (before.get(series) ?? 0) }]
        : [],
    );
  const sum = (all: readonly { by: number }[]) => all.reduce((total, { by }) => total + by, 0);
  const [count, buckets] = [sum(grown('count')), grown('bucket')];
  const bounds = [...new Set(buckets.map(({ bound }) => bound))].filter(Number.isFinite).sort((a, b) => a - b);
  const reached = bounds.find((each) => sum(buckets.filter(({ bound }) => bound === each)) >= 0.99 * count);
  return {
    count,
    meanMs: Number(((sum(grown('sum')) / Math.max(1, count)) * 1000).toFixed(1)),
    p99AtMostMs: reached === undefined ? undefined : reached * 1000,
  };
}
