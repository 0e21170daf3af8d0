import { DestinationError } from '@delivery/destinations/driver';
import type { ExportRun, IntegrationKey } from '@delivery/exports/store';
import { deliveredEvents, ExportWorld } from './export-world';
import { type Action, faultyDestination } from './faulty-destination';

let world: ExportWorld;
let key: IntegrationKey;
let recorded: number;

beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  key = await world.newIntegration({ split: { maxRows: 1 } });
  recorded = 0;
});
afterEach(() => world.reset());

async function record(): Promise<void> {
  const events = [0, 1, 2].map((n) => ({ id: `e${recorded + n}`, user: { organization_user_id: `u${n}` } }));
  await world.record(key.organizationId, events);
  recorded += events.length;
}

/** The next run, which fails for good at this action, and from then on at all that a broken bucket refuses. */
async function failAt(place: Action, refusesAfterwards = false): Promise<ExportRun> {
  await record();
  await world.planned(key);
  const run = await world.claim();
  let failed = false;
  const fault = (action: Action): void => {
    if (action !== place && !(failed && refusesAfterwards)) return;
    failed = true;
    throw new DestinationError('access_denied', 'The bucket refuses it.');
  };
  const openDestination = async () => faultyDestination(await world.openBucket(), [], fault);
  expect(await world.execute(run, { openDestination })).toBe('failed');
  return run;
}

describe('a run that fails for good', () => {
  it.each<Action>(['create 000000', 'write 000001', 'finish 000002', 'put manifest'])(
    'at "%s" leaves the day as it was, and is delivered when it is retried',
    async (place) => {
      await record();
      const first = await world.deliver(key);
      const before = await world.tree();
      const failed = await failAt(place);
      expect(await world.tree()).toEqual(before);
      await world.runs.retryFailed(world.db, failed);
      expect(await world.execute(await world.claim())).toBe('completed');
      const lines = [...(await world.linesOf(first)), ...(await world.linesOf(failed))];
      expect([...deliveredEvents(lines).values()]).toEqual(Array(6).fill(1));
      expect(await world.names()).toContain('_SUCCESS');
    },
  );

  it('leaves nothing on a day on which nothing else was delivered', async () => {
    await failAt('write 000001');
    expect(await world.tree()).toEqual([]);
  });

  it('says nothing about a folder that it could not clean', async () => {
    await record();
    await world.deliver(key);
    const failed = await failAt('write 000001', true);
    const names = await world.names();
    expect(names).not.toContain('_SUCCESS');
    expect(names).toContain(`${failed.id}-000000.json.gz`);
    await record();
    await world.deliver(key);
    const after = await world.names();
    expect(after).toContain('_SUCCESS');
    expect(after.filter((name) => name.includes(failed.id))).toEqual([]);
  });
});
