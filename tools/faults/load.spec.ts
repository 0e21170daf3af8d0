import { waitFor } from '@delivery/platform/testing';
import { type Answer, Customer, World } from '../world';
import { Load } from './load';

const ok: Answer = { status: 200, retryAfter: undefined, body: {} };
const failure = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });

/** A load on a platform that answers so, the last one for ever. */
function loadOn(answers: (Answer | Error)[], publish: () => Promise<void>): Load {
  const answer = async () => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof Error) throw next;
    return next ?? ok;
  };
  const fake = { id: 'any', post: answer, postAll: answer, send: answer };
  const customer: Customer = Object.assign(Object.create(Customer.prototype), fake);
  const world: World = Object.assign(Object.create(World.prototype), { publish });
  return new Load(world, [{ customer, exports: [] }], { seed: 1, kafkaMs: 1, restMs: 1 });
}

it('repeats, once, what met a connection that was just closed', async () => {
  const load = loadOn([failure('UND_ERR_SOCKET'), ok], async () => undefined);
  await waitFor(() => load.accepted > 0, { describe: 'an answer' });
  await load.stop();
  expect(Object.keys(load.answers)).toEqual(['200']);
  const gone = loadOn([failure('ECONNRESET'), failure('ECONNREFUSED'), ok], async () => undefined);
  await waitFor(() => gone.accepted > 0, { describe: 'an answer' });
  await gone.stop();
  expect(gone.unexpected).toEqual(['no connection (ECONNREFUSED)']);
});

it('tells rounds that Kafka took from those that it did not', async () => {
  let rounds = 0;
  const load = loadOn([ok], async () => {
    if ((rounds += 1) === 1) throw new Error('no broker');
  });
  await waitFor(() => load.acknowledged > 1, { describe: 'two rounds' });
  await load.stop();
  expect([load.refused, load.acknowledged]).toEqual([1, rounds - 1]);
});
