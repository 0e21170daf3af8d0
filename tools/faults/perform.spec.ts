import { perform } from './perform';
import { isFaultless, type Report, type Shown } from './report';
import type { Scenario } from './scenario';
import { Servers } from './servers';
import { Stage } from './stage';

/** What a performance did to stage and servers, in order. */
let done: string[];
let broken: string | undefined;
beforeEach(() => {
  done = [];
  broken = undefined;
});

const servers: Servers = Object.assign(Object.create(Servers.prototype), {
  repair: async () => {
    done.push('repaired');
    if (broken) throw new Error(broken);
  },
});

function play(run: (report: Report) => Promise<void>, shows: Shown = { exports: 0, accounts: 0 }): Promise<Report> {
  const scenario: Scenario = {
    name: 'any',
    row: 'F0',
    does: 'nothing',
    shows,
    run: (stage) => run(stage.report),
  };
  const close = async () => void done.push('closed');
  const openStage = async (_: Servers, report: Report): Promise<Stage> =>
    Object.assign(Object.create(Stage.prototype), { report, close });
  return perform(scenario, servers, { long: false, seed: 1, limitMs: 20 }, openStage);
}

const after = (name: string) => ({
  after: name,
  counts: { recorded: 0, duplicates: 0, rejected: 0, suppressed: 0, control: 0 },
  passed: 0,
  ok: true,
});

it('ends a story that does not end, and says how far it came', async () => {
  const report = await play(async ({ accounts, done: did }) => {
    accounts.push(after('kill 1 of record'));
    did['kills of record'] = 1;
    await new Promise(() => undefined);
  });
  expect(report.wrong).toEqual([
    'not done after 0.02 s; the last account was taken after kill 1 of record, the last thing done was kills of record',
  ]);
  expect(done).toEqual(['repaired', 'closed']);
});

it('closes the stage also when the servers cannot be repaired', async () => {
  broken = 'no broker';
  const report = await play(async () => {
    throw new Error('lost', { cause: new Error('in the sea') });
  });
  expect(report.wrong).toEqual(['lost (in the sea)', 'the servers could not be repaired: no broker']);
  expect(done).toEqual(['repaired', 'closed']);
});

it('takes a story that has shown nothing for wrong', async () => {
  const shows = { exports: 1, accounts: 2, done: ['kills'] };
  const report = await play(async ({ accounts }) => void accounts.push(after('nothing')), shows);
  expect(report.wrong).toEqual([
    '0 exports were judged, not 1',
    'no event should have been delivered',
    '1 accounts were taken, not 2',
    'nothing was done of: kills',
  ]);
  expect(isFaultless(report)).toBe(false);
  const shown = await play(async (of) => {
    Object.assign(of, { exports: 1, expected: 5, done: { kills: 3 } });
    of.accounts.push(after('one'), after('two'));
  }, shows);
  expect(isFaultless(shown)).toBe(true);
});
