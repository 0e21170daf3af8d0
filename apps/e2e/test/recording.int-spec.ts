import { consentEventsRejectedTopic } from '@delivery/consent/schema';
import { waitFor } from '@delivery/platform/testing';
import { poisonFor, workload } from '../../../tools/oracle';
import { judgeRecorded } from '../harness/recorded';
import { build, World } from '../harness/world';

const perfect = { ok: true, faults: [], lost: 0, doubled: 0, misrouted: 0, outOfWindow: 0, wrongUsers: 0, altered: 0 };

let world: World;
beforeAll(() => build('consent-ingest'));
beforeEach(async () => {
  world = await World.open();
  await world.organization('acme');
});
afterEach(() => world.close());

const recorder = (environment: Record<string, string> = {}) =>
  world.start('consent-ingest', { INGEST_ROLES: 'record', ...environment });

it('poison does not stop the partition', async () => {
  await world.publish(workload({ organization: 'acme', users: 50, messages: 400, poison: true }));
  await recorder();
  await world.recorded();
  await world.locate();
  await expect(judgeRecorded(world, 'acme')).resolves.toMatchObject(perfect);

  const poison = world.ledger.produced.filter(({ event }) => event === undefined);
  expect(poison).toHaveLength(poisonFor('acme').length);
  const { rejected, recorded, duplicates, passed } = await world.counters();
  expect({ rejected, sum: recorded + duplicates + rejected }).toEqual({ rejected: poison.length, sum: passed });

  const copies = await waitFor(
    async () => {
      const found = await world.readTopic(consentEventsRejectedTopic);
      return found.length >= poison.length && found;
    },
    { describe: 'every rejection in the rejected topic' },
  );
  const codes = new Map(
    copies.map(({ headers }) => [
      `${headers['rejected-partition']}/${headers['rejected-offset']}`,
      reasonCodes(headers),
    ]),
  );
  expect(copies).toHaveLength(poison.length);
  for (const { places, reason } of poison) {
    expect(codes.get(`${places[0]?.partition}/${places[0]?.offset}`)).toContain(reason);
  }
});

function reasonCodes(headers: Readonly<Record<string, string>>): string[] {
  const reasons: { code: string }[] = JSON.parse(headers['rejected-reasons'] ?? '[]');
  return reasons.map(({ code }) => code);
}
