import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawn } from './chart';
import {
  acceptShown,
  type Aim,
  downloadShown,
  eventsShown,
  exportShown,
  idleShown,
  interactionsShown,
  recordShown,
  type Shown,
} from './page-sections';

const folder = join('docs', 'benchmarks');

/** What every raw result begins with. */
interface Head {
  at: string;
  machine: { cpu: string; cores: number; memoryGb: number; node: string };
  benchmark: string;
  options: Record<string, unknown>;
}

/** A file of the page, as it should be. */
export interface PageFile {
  path: string;
  text: string;
}

/** Writes the page of results and its charts from the newest raw result of each benchmark. */
export function writePage(): void {
  mkdirSync(join(folder, 'charts'), { recursive: true });
  for (const { path, text } of pageFiles()) writeFileSync(path, text);
}

export function pageFiles(): PageFile[] {
  const results = newest();
  const part = <R>(name: string, shown: (result: R) => Shown): Part[] => {
    const result = results.get(name);
    return result === undefined ? [] : [{ name, head: result, ...shown(result as Head & R) }];
  };
  const parts = [
    ...part('accept', acceptShown),
    ...part('record', recordShown),
    ...part('interactions', interactionsShown),
    ...part('events', eventsShown),
    ...part('export', exportShown),
    ...part('download', downloadShown),
    ...part('idle', idleShown),
  ];
  const charts = parts.flatMap(({ name, chart }) =>
    chart === undefined ? [] : [{ path: join(folder, 'charts', `${name}.svg`), text: drawn(chart) }],
  );
  const missed = parts.flatMap(({ head, aims }) =>
    aims.filter(({ met }) => !met).map((aim) => `- ${head.benchmark}: ${aim.what}, ${aim.measured} (${aim.limit})`),
  );
  const top = `# Results

Made by \`npm run bench -- page\` from the newest files in [raw/](raw); medians, the peak is the highest of all runs. CPU
seconds are those per million events: of the tool itself, and of Postgres. What they mean is in [README.md](README.md).

${missed.length === 0 ? 'Every aim is met.' : `Aims that are missed:\n\n${missed.join('\n')}`}
`;
  return [...charts, { path: join(folder, 'results.md'), text: [top, ...parts.map(section)].join('\n') }];
}

function newest(): Map<string, Head> {
  const found = new Map<string, Head>();
  for (const file of readdirSync(join(folder, 'raw')).sort()) {
    const name = /^(.+)-\d{4}-\d{2}-\d{2}\.json$/.exec(file)?.[1];
    if (name !== undefined) found.set(name, JSON.parse(readFileSync(join(folder, 'raw', file), 'utf8')) as Head);
  }
  return found;
}

type Part = Shown & { name: string; head: Head };

function section({ name, head, aims, table: rows, chart, remarks = [] }: Part): string {
  const { benchmark, at, machine, options } = head;
  const given = Object.entries(options).map(([option, value]) => `${option} ${String(value)}`);
  const blocks = [
    `## ${benchmark}`,
    `\`npm run bench -- ${name}\`, ${at.slice(0, 10)}: ${given.join(', ')}. ${machine.cores} cores (${machine.cpu}), ${machine.memoryGb} GB, Node ${machine.node}.`,
    table(['', 'aim', 'measured', ''], aims.map(aimCells)),
    ...(chart === undefined ? [] : [`![${benchmark}: ${chart.title}](charts/${name}.svg)`]),
    table(rows[0] ?? [], rows.slice(1)),
    ...remarks,
  ];
  return `${blocks.join('\n\n')}\n`;
}

function aimCells({ what, limit, measured, met }: Aim): string[] {
  return [what, limit, measured, met ? 'met' : '**missed**'];
}

/** Padded as Prettier pads it. */
function table(titles: readonly string[], cells: readonly string[][]): string {
  const [header = [], ...rows] = [titles, ...cells].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = header.map((title, n) => Math.max(3, ...[header, ...rows].map((row) => (row[n] ?? title).length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
