import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

import { metricsIn } from './promql';
import type { Faults } from './workspace';

const rulesFile = 'k8s/monitoring/alerts.yaml';
const dashboards = 'k8s/monitoring/*.json';
const reference = 'docs/reference/metrics.md';
const runbook = 'docs/operations.md';

interface Rules {
  groups: {
    name: string;
    rules: { alert?: string; record?: string; expr: string; annotations?: Record<string, string> }[];
  }[];
}

/**
 * Alert rules and dashboards ask only for metrics and labels that some service shows (or that Prometheus adds), and every
 * alert has a heading in the runbook that says what to do, and the reverse.
 */
export function checkMonitoring(root: string): Faults {
  if (!existsSync(join(root, rulesFile))) return [];
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const known = knownMetrics(read(reference));
  const { groups }: Rules = parse(read(rulesFile));
  const rules = groups.flatMap((group) => group.rules);
  const alerts = rules.flatMap(({ alert }) => alert ?? []);
  for (const { record } of rules) if (record !== undefined) known.set(record, undefined);
  return [
    ...rules.flatMap(({ alert, record, expr }) =>
      unknownIn(expr, known).map((fault) => `${rulesFile}: ${alert ?? record} ${fault}`),
    ),
    ...globSync(dashboards, { cwd: root })
      .sort()
      .flatMap((file) =>
        expressionsIn(JSON.parse(read(file))).flatMap((expr) =>
          unknownIn(expr, known).map((fault) => `${file}: ${expr} ${fault}`),
        ),
      ),
    ...headingFaults(alerts, read(runbook)),
    ...rules
      .filter(
        ({ alert, annotations }) =>
          alert !== undefined && annotations?.['runbook_url']?.endsWith(`#${alert.toLowerCase()}`) !== true,
      )
      .map(({ alert }) => `${rulesFile}: ${alert} needs a runbook_url that ends in #${alert?.toLowerCase()}`),
  ];
}

/** Names in the reference's table with their labels; `undefined` labels are not checked. */
function knownMetrics(text: string): Map<string, ReadonlySet<string> | undefined> {
  const known = new Map<string, ReadonlySet<string> | undefined>([['up', undefined]]);
  for (const [, name = '', kind, labels = ''] of text.matchAll(/^\| `(\w+)`\s*\| (\w+)\s*\| ([^|]*)\|/gm)) {
    const names = new Set([...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label));
    const suffixes = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const suffix of suffixes)
      known.set(`${name}${suffix}`, suffix === '_bucket' ? new Set([...names, 'le']) : names);
  }
  return known;
}

/** What Prometheus adds to every series, and prom-client's metrics of the process, which the reference does not list. */
const addedLabels = new Set(['job', 'instance', 'namespace', 'pod', 'service']);
const processMetric = /^(process|nodejs)_/;

function unknownIn(expr: string, known: ReturnType<typeof knownMetrics>): string[] {
  return metricsIn(expr).flatMap(({ name, labels }) => {
    if (processMetric.test(name)) return [];
    if (!known.has(name)) return [`asks for ${name}, which no service shows (${reference})`];
    const own = known.get(name);
    const wrong = own === undefined ? [] : labels.filter((label) => !own.has(label) && !addedLabels.has(label));
    return wrong.map((label) => `asks for the label ${label}, which ${name} does not have`);
  });
}

function headingFaults(alerts: readonly string[], text: string): string[] {
  const section = /^## Alerts$(.*?)(?=^## |(?![\s\S]))/ms.exec(text)?.[1] ?? '';
  const headings = [...section.matchAll(/^### (\w+)$/gm)].map(([, heading = '']) => heading);
  return [
    ...alerts
      .filter((alert) => !headings.includes(alert))
      .map((alert) => `${runbook}: says nothing of the alert ${alert}`),
    ...headings
      .filter((each) => !alerts.includes(each))
      .map((each) => `${runbook}: there is no alert ${each} in ${rulesFile}`),
  ];
}

/** Every PromQL text of a dashboard: the values of `expr`, and the metric of a variable's query. */
function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === 'expr' && typeof each === 'string' ? [each] : expressionsIn(each),
  );
}
