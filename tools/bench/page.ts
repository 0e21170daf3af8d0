import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContenderResult } from './contest';

const folder = join('docs', 'benchmarks');

/** A raw result as far as the page shows it. */
interface Result {
  at: string;
  machine: { cpu: string; cores: number; memoryGb: number; node: string };
  benchmark: string;
  options: Record<string, unknown>;
  contenders: ContenderResult[];
}

/** A file of the page, as it should be. */
export interface PageFile {
  path: string;
  text: string;
}

/** Writes the page of results and its charts from the newest raw result of each benchmark that has contenders. */
export function writePage(): void {
  mkdirSync(join(folder, 'charts'), { recursive: true });
  for (const { path, text } of pageFiles()) writeFileSync(path, text);
}

export function pageFiles(): PageFile[] {
  const results = [...newest()].filter(([, result]) => result.contenders !== undefined);
  const charts = results.map(([name, result]) => ({
    path: join(folder, 'charts', `${name}.svg`),
    text: chart(result.contenders),
  }));
  const sections = results.map(([name, result]) => section(name, result));
  const head = `# Results

Made by \`npm run bench -- page\` from the newest files in [raw/](raw); medians, the peak is the highest of all runs. CPU
seconds are those per million events: of the tool itself, and of Postgres. What they mean is in [README.md](README.md).
`;
  return [...charts, { path: join(folder, 'results.md'), text: [head, ...sections].join('\n') }];
}

function newest(): Map<string, Result> {
  const found = new Map<string, Result>();
  for (const file of readdirSync(join(folder, 'raw')).sort()) {
    const name = /^(.+)-\d{4}-\d{2}-\d{2}\.json$/.exec(file)?.[1];
    if (name !== undefined) found.set(name, JSON.parse(readFileSync(join(folder, 'raw', file), 'utf8')) as Result);
  }
  return found;
}

function section(name: string, { benchmark, at, machine, options, contenders }: Result): string {
  const rows = contenders.map((each) => [
    (each.name + (each.note === undefined ? '' : ` (${each.note})`)).replaceAll('|', '\\|'),
    thousands(each.eventsPerSecond),
    each.cpuSecondsPerMillion.toFixed(1),
    each.postgresCpuSecondsPerMillion.toFixed(1),
    `${each.peakRssMb} MB`,
    each.megabytes === undefined ? '' : `${each.megabytes} MB`,
  ]);
  const given = Object.entries(options).map(([option, value]) => `${option} ${String(value)}`);
  return `## ${benchmark}

\`npm run bench -- ${name}\`, ${at.slice(0, 10)}: ${given.join(', ')}. ${machine.cores} cores (${machine.cpu}), ${machine.memoryGb} GB, Node ${machine.node}.

![${benchmark}: events per second](charts/${name}.svg)

${table(['', 'events/s', 'CPU s', 'Postgres CPU s', 'peak memory', 'written'], rows)}
`;
}

/** Padded as Prettier pads it. */
function table(header: readonly string[], rows: readonly string[][]): string {
  const widths = header.map((title, n) => Math.max(3, ...[header, ...rows].map((row) => (row[n] ?? title).length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

const bar = { height: 26, gap: 10, left: 330, width: 420 };

/** Bars of events per second, this platform's in colour; readable on light and dark pages. */
function chart(contenders: readonly ContenderResult[]): string {
  const most = Math.max(...contenders.map(({ eventsPerSecond }) => eventsPerSecond));
  const bars = contenders.map(({ name, eventsPerSecond }, n) => {
    const y = bar.gap + n * (bar.height + bar.gap);
    const width = Math.round((eventsPerSecond / most) * bar.width);
    const color = name.startsWith('consent-delivery') ? '#2563eb' : '#94a3b8';
    const middle = y + bar.height / 2 + 5;
    return [
      `  <text x="${bar.left - 10}" y="${middle}" text-anchor="end">${escape(name)}</text>`,
      `  <rect x="${bar.left}" y="${y}" width="${width}" height="${bar.height}" rx="3" fill="${color}"/>`,
      `  <text x="${bar.left + width + 8}" y="${middle}">${thousands(eventsPerSecond)}/s</text>`,
    ].join('\n');
  });
  const height = bar.gap + contenders.length * (bar.height + bar.gap);
  const width = bar.left + bar.width + 100;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="14" fill="#64748b">
${bars.join('\n')}
</svg>
`;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
