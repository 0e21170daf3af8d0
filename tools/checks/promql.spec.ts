import { metricsIn } from './promql';

describe('metricsIn', () => {
  it.each([
    ['up == 0', ['up']],
    ['sum by (job) (rate(a_total{b="c",d=~"e{2}"}[5m])) / on (job) sum(f) > 0.01', ['a_total b d', 'f']],
    ['max(a{b="x and y"}) unless b offset 1h', ['a b', 'b']],
    ['min_over_time(max by (t) (a)[5m:30s]) > 4 * 3600 and 1e3 < inf', ['a']],
    ['histogram_quantile(0.99, sum by (le) (rate(a_bucket{r!~"x"}[$__rate_interval])))', ['a_bucket r']],
    ['a * on (x) group_left (y) b{kind="$kind"}', ['a', 'b kind']],
  ])('finds the names in %s', (expr, wanted) => {
    expect(metricsIn(expr).map(({ name, labels }) => [name, ...labels].join(' '))).toEqual(wanted);
  });
});
