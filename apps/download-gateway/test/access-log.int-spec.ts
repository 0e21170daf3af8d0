import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { waitFor } from '@delivery/platform/testing';
import { GatewayProcess } from './gateway-process';
import { GatewayWorld } from './gateway-world';

const MEGABYTE = 1024 * 1024;
const day = 'interaction-2026-02-03';
const path = `/download/v2/analytics/mine/${day}`;

let world: GatewayWorld;

beforeAll(async () => {
  world = await GatewayWorld.open({ DOWNLOAD_REQUESTS_PER_15_SECONDS: '5', DOWNLOAD_FILES_AT_ONCE_PER_LINK: '1' });
});
afterAll(() => world.close());

/** An organization with a report of this many bytes. */
async function organization(id: string, bytes = 10): Promise<{ key: string; link: string }> {
  await world.analyticsId(id, 'mine');
  await world.report(id, 'mine', day, [Buffer.alloc(bytes, 'x')]);
  const key = await world.key(id, 'mine');
  const [link = ''] = await world.links(path, key);
  return { key, link };
}

async function begun(url: string): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  await once(answer, 'readable');
  return answer;
}

const ofFiles = async (id: string) => (await world.accesses(id)).filter(({ kind }) => kind === 'file');

it('has a download whose gateway was killed before its end', async () => {
  const { link } = await organization('killed', 64 * MEGABYTE);
  const gateway = await GatewayProcess.start(world);
  const answer = await begun(gateway.here(link));
  await gateway.kill();
  expect(answer.statusCode).toBe(200);
  expect(await ofFiles('killed')).toMatchObject([{ status: 200, bytes: undefined, times: 1 }]);
}, 60_000);

it('has the end of a download during which the database went away', async () => {
  const { link } = await organization('outage', 64 * MEGABYTE);
  const answer = await begun(world.here(link));
  world.wire.cut();
  let bytes = 0;
  for await (const chunk of answer) bytes += Buffer.from(chunk).length;
  expect(bytes).toBe(64 * MEGABYTE);
  const failing = await fetch(world.here(link));
  world.wire.mend();
  expect([failing.status, failing.headers.get('retry-after')]).toEqual([503, '5']);
  const ended = await waitFor(async () => (await ofFiles('outage')).find((each) => each.bytes), {
    describe: 'the end of the download',
  });
  expect(ended).toMatchObject({ status: 200, bytes: 64 * MEGABYTE });
}, 60_000);

it('has requests of a known key that are answered 401 and 429, once a minute each', async () => {
  const { key } = await organization('refused');
  const [id] = key.split('.');
  for (let n = 0; n < 3; n += 1) expect((await world.get(path, `${id}.wrong`)).status).toBe(401);
  expect((await world.get(path, 'nobodys.key')).status).toBe(401);
  for (let n = 1; n < 5; n += 1) expect((await world.get(path, key)).status).toBe(200);
  for (let n = 0; n < 4; n += 1) expect((await world.get(path, key)).status).toBe(429);
  const refusals = await waitFor(
    async () => {
      const found = (await world.accesses('refused')).filter(({ status }) => status !== 200);
      return found.length === 2 && found.reverse();
    },
    { describe: 'two refusals' },
  );
  const about = { keyId: id, analyticsId: 'mine', file: day, kind: 'links', times: 1 };
  expect(refusals).toMatchObject([
    { ...about, status: 401 },
    { ...about, status: 429 },
  ]);
});

it('has a link that is refused once for each answer', async () => {
  const { link } = await organization('busy', 64 * MEGABYTE);
  const first = await begun(world.here(link));
  for (let n = 0; n < 3; n += 1) {
    const refused = await fetch(world.here(link));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
  }
  first.destroy();
  const all = await world.logged('busy', (entries) => entries.some(({ status, bytes }) => status === 200 && bytes));
  expect(all.map(({ kind, status }) => `${kind} ${status}`).toSorted()).toEqual(['file 200', 'file 429', 'links 200']);
});

it('has no key, wherever somebody put it', async () => {
  const { key } = await organization('canary');
  const [, secret = ''] = key.split('.');
  const agent = { headers: { 'user-agent': `sync/1.0 (${key})` } };
  expect((await world.get(`/download/v2/analytics/mine/${key}`, key, agent)).status).toBe(400);
  expect((await world.get(`/download/v2/analytics/${key}/apiKey=${key}`, key)).status).toBe(400);
  const entries = await world.accesses('canary');
  expect(entries).toHaveLength(3);
  expect(JSON.stringify(entries)).not.toContain(secret);
  expect(entries[1]).toMatchObject({ userAgent: expect.stringMatching(/^sync\/1\.0 \([\w-]+\.\[hidden\]\)$/) });
});
