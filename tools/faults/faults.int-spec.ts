import { workspaceRoot } from '@delivery/platform/testing';
import { buildServices, serviceNames } from '../services';
import { perform } from './perform';
import { isFaultless, reportLines } from './report';
import { scenarios } from './scenarios';
import { Servers } from './servers';

// Chosen anew each time; a report tells it, and `npm run faults -- <name> --seed <n>` plays the same again.
const seed = Date.now() % 1_000_000;
let servers: Servers;

const playable = scenarios.filter((scenario) => {
  const lacking = scenario.lacks?.();
  if (lacking !== undefined)
    process.stderr.write(`NOT RUN: ${scenario.row} ${scenario.name}, which takes ${lacking}\n`);
  return lacking === undefined;
});

beforeAll(async () => {
  process.chdir(workspaceRoot());
  buildServices(serviceNames);
  servers = await Servers.open();
}, 300_000);
afterAll(() => servers?.close(), 120_000);

/** The short form of every scenario, as `npm run faults` plays it. */
it.each(playable.map((scenario) => [scenario.row, scenario.name, scenario] as const))(
  '%s %s finds nothing wrong',
  async (_, __, scenario) => {
    const report = await perform(scenario, servers, { long: false, seed });
    if (!isFaultless(report)) throw new Error(reportLines(report).join('\n'));
  },
  600_000,
);
