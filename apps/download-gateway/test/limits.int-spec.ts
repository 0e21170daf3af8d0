import type { DownloadAccess } from '@delivery/analytics/store';
import { parseNamedKeys } from '@delivery/platform/secrets';
import { FileLinks } from '../links/file-links';
import { GatewayWorld } from './gateway-world';

const day = 'interaction-2026-02-03';
const path = `/download/v2/analytics/mine/${day}`;
const file = `${day}-000000000000.csv`;
const LIMIT = 5;

let world: GatewayWorld;

beforeAll(async () => {
  world = await GatewayWorld.open({ DOWNLOAD_REQUESTS_PER_15_SECONDS: String(LIMIT) });
});
afterAll(() => world.close());

/** An organization of its own for each test: requests of one are counted together. */
async function organization(id: string): Promise<string> {
  await world.analyticsId(id, 'mine');
  await world.report(id, 'mine', day, [Buffer.from('0123456789')]);
  return world.key(id, 'mine');
}

describe('requests for links', () => {
  it('are limited, and say how many are left', async () => {
    const key = await organization('busy');
    const first = await world.get(path, key);
    expect(first.headers.get('ratelimit')).toMatch(/^limit=5, remaining=4, reset=\d+$/);
    expect(first.headers.get('ratelimit-policy')).toBe('5;w=15');
    const others = await Promise.all(Array.from({ length: LIMIT }, () => world.get(path, key)));
    const refused = others.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused[0]?.json()).toMatchObject({ code: 429, name: 'TooManyRequests' });
    expect((await world.get(path, await organization('quiet'))).status).toBe(200);
  });

  it('open nothing with a key or analytics id that was disabled', async () => {
    const key = await organization('disabling');
    const { database } = world.test;
    await database.query(`UPDATE analytics_id SET enabled = false WHERE organization_id = 'disabling'`);
    expect((await world.get(path, key)).status).toBe(403);
    await database.query(`UPDATE analytics_id SET enabled = true WHERE organization_id = 'disabling'`);
    await database.query(`UPDATE analytics_key SET enabled = false WHERE organization_id = 'disabling'`);
    // Known for five seconds, and then asked of the database again; its row is looked at with each request.
    expect((await world.get(path, key)).status).toBe(401);
  });
});

describe('links to files', () => {
  it('are refused once they have expired, which the access log has', async () => {
    const keyId = String((await organization('late')).split('.')[0]);
    const now = Math.floor(Date.now() / 1000);
    const links = new FileLinks(world.gateway.url, parseNamedKeys([world.signingKey]));
    const linked = { organizationId: 'late', analyticsId: 'mine', file, keyId };
    const answer = await fetch(links.link(linked, now - 1));
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('expired') });
    // However often it is sent.
    expect((await fetch(links.link(linked, now - 1))).status).toBe(403);
    expect((await fetch(links.link(linked, now + 60))).status).toBe(200);
    const entries = await world.logged(
      'late',
      (all) => all.length >= 2 && all.every(({ bytes }) => bytes !== undefined),
    );
    expect(entries).toMatchObject([
      { status: 403, bytes: 0 },
      { status: 200, kind: 'file', keyId, bytes: 10 },
    ]);
  });

  it('are gone with the report, and not there for what never was', async () => {
    const key = await organization('gone');
    const [link = ''] = await world.links(path, key);
    await world.test.database.query(`UPDATE analytics_report SET status = 'removed' WHERE organization_id = 'gone'`);
    expect((await fetch(world.here(link))).status).toBe(410);
    const links = new FileLinks(world.gateway.url, parseNamedKeys([world.signingKey]));
    const keyId = String(key.split('.')[0]);
    const linked = { organizationId: 'gone', analyticsId: 'mine', file: '../../secret', keyId };
    const odd = links.link({ ...linked, file: encodeURIComponent(linked.file) }, 9_999_999_999);
    expect((await fetch(odd)).status).toBe(403);
    expect((await fetch(links.link({ ...linked, file: 'other.csv' }, 9_999_999_999))).status).toBe(404);
  });

  it('are refused once their key, or its analytics id, was disabled or removed', async () => {
    const key = await organization('revoked');
    const [link = ''] = await world.links(path, key);
    const status = async () => (await fetch(world.here(link))).status;
    const { database } = world.test;
    expect(await status()).toBe(200);
    await database.query(`UPDATE analytics_id SET enabled = false WHERE organization_id = 'revoked'`);
    expect(await status()).toBe(403);
    await database.query(`UPDATE analytics_id SET enabled = true WHERE organization_id = 'revoked'`);
    expect(await status()).toBe(200);
    await database.query(`UPDATE analytics_key SET enabled = false WHERE organization_id = 'revoked'`);
    expect(await status()).toBe(403);
    await database.query(`DELETE FROM analytics_key WHERE organization_id = 'revoked'`);
    const answer = await fetch(world.here(link));
    expect([answer.status, await answer.json()]).toMatchObject([403, { message: expect.stringContaining('key') }]);
  });

  it('count in the access log what was sent of a part, and nothing for what the client had', async () => {
    const key = await organization('parts');
    const [link = ''] = await world.links(path, key);
    const part = await fetch(world.here(link), { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    const etag = part.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect((await fetch(world.here(link), { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(world.here(link), { headers: { 'if-match': '"other"' } })).status).toBe(412);
    const ended = ({ kind, bytes }: DownloadAccess) => kind === 'links' || bytes !== undefined;
    const entries = await world.logged('parts', (all) => all.length === 4 && all.every(ended));
    expect(entries.map(({ kind, status, bytes }) => [kind, status, bytes])).toEqual([
      ['links', 200, undefined],
      ['file', 206, 3],
      ['file', 304, 0],
      ['file', 412, 0],
    ]);
  });
});
