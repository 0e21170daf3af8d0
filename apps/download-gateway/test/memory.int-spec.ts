import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { reportFolder, shardFile } from '@delivery/analytics/domain';
import { GatewayProcess } from './gateway-process';
import { GatewayWorld } from './gateway-world';

const MEGABYTE = 1024 * 1024;
const DOWNLOADS = 1000;
const FILE_BYTES = 100 * MEGABYTE;
const day = 'interaction-2026-02-03';
/** Of the gateway. Its clients have taken a thousand, and are owed a hundred times as much. */
const BOUND_MEGABYTES = 400;

it('sends a thousand files at once as fast as slow clients read: neither number nor size takes much memory', async () => {
  const world = await GatewayWorld.open({ DOWNLOAD_FILES_AT_ONCE_PER_LINK: String(DOWNLOADS) });
  await world.analyticsId('acme', 'mine');
  const key = await world.key('acme', 'mine');
  await sparseReport(world);
  const [link = ''] = await world.links(`/download/v2/analytics/mine/${day}`, key);
  const gateway = await GatewayProcess.start(world);
  (await slowClient(gateway.here(link))).destroy();
  const before = await gateway.rss();
  const clients = await Promise.all(Array.from({ length: DOWNLOADS }, () => slowClient(gateway.here(link))));
  const grown = (await gateway.rss()) - before;
  const going = clients.filter(({ statusCode, destroyed }) => statusCode === 200 && !destroyed);
  await gateway.kill();
  for (const client of clients) client.destroy();
  await world.close();
  expect(going).toHaveLength(DOWNLOADS);
  expect(grown).toBeLessThan(BOUND_MEGABYTES);
}, 180_000);

/** A published report of one file without content. */
async function sparseReport(world: GatewayWorld): Promise<void> {
  const path = join(world.root, reportFolder('acme', 'mine'), shardFile(day, 0));
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  await file.truncate(FILE_BYTES);
  await file.close();
  await world.row('acme', 'mine', day, 'published');
  const shards = [{ bytes: FILE_BYTES, rows: 1, sha256: 'ab'.repeat(32) }];
  await world.test.database.query('UPDATE analytics_report SET shards = $1', [JSON.stringify(shards)]);
}

/** Takes a megabyte, and then so little that it is not cut off. */
async function slowClient(url: string): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  // Closed by this side, in the end.
  answer.on('error', () => undefined);
  for (let taken = 0; taken < MEGABYTE;) {
    const chunk: Buffer | null = answer.read();
    if (chunk === null) await once(answer, 'readable');
    else taken += chunk.length;
  }
  const sipping = setInterval(() => answer.read(64 * 1024), 8_000);
  answer.once('close', () => clearInterval(sipping));
  return answer;
}
