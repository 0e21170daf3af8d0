import { apps } from './apps';

/** Every label a metric may have: each stands for few values, whatever customers and producers send. */
const bounded = [
  ...[
    'aggregation',
    'code',
    'content',
    'kind',
    'method',
    'operation',
    'outcome',
    'partition',
    'reason',
    'rollup',
    'route',
  ],
  ...['state', 'status', 'task', 'topic', 'where'],
];
const metrics = apps.flatMap(({ name, metrics: own }) => own.map((metric) => ({ app: name, ...metric })));

describe('metrics', () => {
  it('have labels that stand for few values only', () => {
    expect(metrics.filter(({ labels }) => labels.some((label) => !bounded.includes(label)))).toEqual([]);
  });

  it('are named by their unit', () => {
    const named = {
      counter: /^[a-z_]+_total$/,
      gauge: /^(?!.*_total$)[a-z_]+$/,
      histogram: /^[a-z_]+_(seconds|bytes)$/,
    };
    expect(metrics.filter(({ kind, name }) => !named[kind].test(name)).map(({ name }) => name)).toEqual([]);
  });

  it('are the same metric wherever they have one name', () => {
    const distinct = new Set(metrics.map(({ app: _, ...metric }) => JSON.stringify(metric)));
    expect(distinct.size).toBe(new Set(metrics.map(({ name }) => name)).size);
  });

  it('are listed once by each service', () => {
    for (const { metrics: own } of apps) expect(new Set(own.map(({ name }) => name)).size).toBe(own.length);
  });
});
