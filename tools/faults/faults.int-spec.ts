import { workspaceRoot } from '@delivery/platform/testing';
import { buildServices, serviceNames } from '../services';
import { Playhouse } from './playhouse';
import { headline, isFaultless, reportLines } from './report';
import { scenarios } from './scenarios';

// Chosen anew each time; a report tells it, and `npm run faults -- <name> --seed <n>` plays the same again.
const seed = Date.now() % 1_000_000;
/** Below Jest's own, which would leave a story running beside the next. */
const limitMs = 900_000;
const playhouse = new Playhouse();

const playable = scenarios.filter((scenario) => {
  const lacking = scenario.lacks?.();
  if (lacking !== undefined)
    process.stderr.write(`NOT RUN: ${scenario.row} ${scenario.name}, which takes ${lacking}\n`);
  return lacking === undefined;
});

beforeAll(() => {
  process.chdir(workspaceRoot());
  buildServices(serviceNames);
}, 300_000);
afterAll(() => playhouse.close(), 300_000);

/** The short form of every scenario, as `npm run faults` plays it. */
it.each(playable.map((scenario) => [scenario.row, scenario.name, scenario] as const))(
  '%s %s finds nothing wrong',
  async (_, __, scenario) => {
    const report = await playhouse.play(scenario, { long: false, seed, limitMs });
    process.stderr.write(`${headline(report)}\n`);
    if (!isFaultless(report)) throw new Error(reportLines(report).join('\n'));
  },
  limitMs + 600_000,
);
