import type { MetricSpec } from '@delivery/platform/service';

import { apps } from './apps';
import { type GeneratedFile, referenceFolder } from './generator';

const head = `# Metrics

Generated from the services' definitions by \`npm run generate\`. What each means for an operator, and what to do, is in
[operations](../operations.md).

Every service shows these at \`/metrics\` in Prometheus' text format, beside \`process_\` and \`nodejs_\` metrics of its
process. No label holds an organization, a user or a run. Counters are of one process and begin at 0 with it. What holds
for the platform as a whole are gauges of the scheduler, read from Postgres and Kafka: every scheduler shows the same, so
take the largest and do not add them up.
`;

/** One page: every metric, the services that show it, and its labels. */
export function generateMetricsReference(): GeneratedFile[] {
  const shown = new Map<string, { spec: MetricSpec; by: string[] }>();
  for (const { name, metrics } of apps) {
    for (const spec of metrics) {
      const entry = shown.get(spec.name) ?? { spec, by: [] };
      entry.by.push(name);
      shown.set(spec.name, entry);
    }
  }
  const rows = [...shown.values()]
    .sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
    .map(({ spec, by }) => [
      `\`${spec.name}\``,
      spec.kind,
      spec.labels.map((label) => `\`${label}\``).join(', '),
      spec.help,
      by.length === apps.length ? 'all' : by.join(', '),
    ]);
  const lines = [['metric', 'kind', 'labels', 'meaning', 'shown by'], ['---', '---', '---', '---', '---'], ...rows];
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return [{ path: `${referenceFolder}/metrics.md`, text: `${head}\n${table}\n` }];
}
