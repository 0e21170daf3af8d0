import { consentEventsRejectedTopic } from '@delivery/consent/schema';
import { waitFor } from '@delivery/platform/testing';
import { workload } from '../../oracle';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

/** As many as a publisher sends before it marks them. */
const copiesAtOnce = 100;

/** One of each kind of message that no event can be made of, again and again among events. */
export const poison: Scenario = {
  name: 'poison',
  row: 'F10',
  does: 'sends what no event can be made of among events; each is in the rejected topic, with its reason',
  shows: { exports: 1, accounts: 3, done: ['poison'] },
  async run(stage) {
    const { world } = stage;
    const [record, api] = await Promise.all([
      stage.start('consent-ingest', { INGEST_ROLES: 'record' }),
      stage.start('integrations-api'),
      stage.start('scheduler'),
      stage.start('exporter-s3'),
    ]);
    const customer = await stage.customer('poisoned', { api });
    const exported = await customer.exportToS3();
    stage.watch(exported);
    const rounds = stage.long ? 40 : 3;
    for (let round = 0; round < rounds; round += 1) {
      const options = {
        organization: 'poisoned',
        users: 80,
        messages: 300,
        poison: true,
        seed: stage.report.seed + round,
      };
      await world.publish(workload(options));
      if (round === 1) await record.kill().then(() => record.start());
      await world.recorded();
      await stage.account(`round ${round + 1} of poison`);
    }
    await expectRejections(stage);
    await customer.deliver(exported);
    await stage.judge(customer, exported);
    await stage.ends(customer, exported);
    stage.did('messages', world.ledger.produced.length);
  },
};

/**
 * Each rejection is in the rejected topic with the reason that its message was made to have. Copies that the killed
 * recorder sent and could not mark come again, and are told from others by their place.
 */
async function expectRejections(stage: Stage): Promise<void> {
  const { world } = stage;
  const poisoned = world.ledger.produced.filter(({ event }) => event === undefined);
  stage.did('poison', poisoned.length);
  const enough = async () => {
    const copies = await world.readTopic(consentEventsRejectedTopic);
    const reasons = new Map(copies.map(({ headers }) => [placeOf(headers), headers['rejected-reasons'] ?? '[]']));
    return reasons.size >= poisoned.length && { copies, reasons };
  };
  const { copies, reasons } = await waitFor(enough, {
    describe: 'every rejection in the rejected topic',
    timeoutMs: 180_000,
  });
  stage.expect(reasons.size === poisoned.length, `${reasons.size} rejections of ${poisoned.length} poisoned messages`);
  const repeated = copies.length - reasons.size;
  stage.did('copies sent again', repeated);
  stage.expect(repeated <= copiesAtOnce, `${repeated} copies again after one kill, which can repeat ${copiesAtOnce}`);
  for (const { places, reason } of poisoned) {
    const place = `${places[0]?.partition}/${places[0]?.offset}`;
    const given: { code: string }[] = JSON.parse(reasons.get(place) ?? '[]');
    const found = given.some(({ code }) => code === reason);
    stage.expect(found, `message ${place} should be rejected as ${reason}, and is as ${JSON.stringify(given)}`);
  }
}

function placeOf(headers: Readonly<Record<string, string>>): string {
  return `${headers['rejected-partition']}/${headers['rejected-offset']}`;
}
