import { parseArgs } from 'node:util';
import { buildServices, Interrupted, serviceNames, stopSignal } from '../services';
import { Playhouse } from './playhouse';
import { isFaultless, reportLines } from './report';
import type { Scenario } from './scenario';
import { scenarios } from './scenarios';

const help = `Breaks the platform on purpose, and lets an oracle count what is lost, doubled, misrouted, out of window or altered.

  npm run faults                  every scenario, in its short form
  npm run faults -- kill broker   only these
  --long      many repetitions and long outages, for a night
  --seed n    the same random choices again (default: chosen anew, and told)
  --json      one report a line; each is kept in test-results/faults as well
  --list      the scenarios

Broker, database and object stores are its own: the local stack stays as it is. Exit code 1 when anything is wrong.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      long: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      seed: { type: 'string' },
    },
  });
  if (values.help) return print(help);
  if (values.list) return print(scenarios.map(listLine).join(''));
  const chosen = choose(positionals);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: it must be a whole number.`);
  return play(chosen, { long: values.long, json: values.json, seed });
}

function choose(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no scenario ${unknown.join(', ')}. They are:\n${scenarios.map(listLine).join('')}`);
  return names.length === 0 ? scenarios.filter(isPlayable) : scenarios.filter(({ name }) => names.includes(name));
}

function isPlayable({ row, name, lacks }: Scenario): boolean {
  const lacking = lacks?.();
  if (lacking !== undefined) process.stderr.write(`NOT RUN: ${row} ${name}, which takes ${lacking}\n`);
  return lacking === undefined;
}

/** @returns the exit code */
async function play(
  chosen: readonly Scenario[],
  { long, json, seed }: { long: boolean; json: boolean; seed: number },
): Promise<number> {
  const stopped = stopSignal();
  buildServices(serviceNames);
  const playhouse = new Playhouse();
  let wrong = 0;
  try {
    for (const scenario of chosen) {
      process.stderr.write(`${scenario.row} ${scenario.name}: ${scenario.does} ...\n`);
      const report = await playhouse.play(scenario, { long, seed, stopped });
      print(json ? `${JSON.stringify(report)}\n` : `${reportLines(report).join('\n')}\n`);
      if (!isFaultless(report)) wrong += 1;
    }
  } finally {
    await playhouse.close();
  }
  if (!json) print(`${chosen.length - wrong} of ${chosen.length} scenarios without a fault\n`);
  return wrong === 0 ? 0 : 1;
}

function listLine({ row, name, does }: Scenario): string {
  return `${row.padEnd(5)}${name.padEnd(14)}${does}\n`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof Interrupted ? error.exitCode : 64;
  },
);
