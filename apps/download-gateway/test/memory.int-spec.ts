import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { GatewayWorld } from './gateway-world';

const MEGABYTE = 1024 * 1024;
const DOWNLOADS = 300;
const FILE_MEGABYTES = 20;
/** A twentieth of what slow clients have not fetched yet, their own buffers (in this process) included. */
const BOUND_MEGABYTES = 300;

it('reads files as fast as slow clients do: their number costs little memory, the size of files none', async () => {
  const world = await GatewayWorld.open();
  const day = 'interaction-2026-02-03';
  await world.analyticsId('acme', 'mine');
  const key = await world.key('acme', 'mine');
  await world.report('acme', 'mine', day, [Buffer.alloc(FILE_MEGABYTES * MEGABYTE, 'x')]);
  const [link = ''] = await world.links(`/download/v2/analytics/mine/${day}`, key);
  const before = process.memoryUsage().rss;
  const clients = await Promise.all(Array.from({ length: DOWNLOADS }, () => slowClient(world.here(link))));
  const grown = (process.memoryUsage().rss - before) / MEGABYTE;
  for (const client of clients) client.destroy();
  await world.close();
  expect(grown).toBeLessThan(BOUND_MEGABYTES);
}, 60_000);

/** Takes a megabyte, and then nothing more. */
async function slowClient(url: string): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  // Closed by this side, in the end.
  answer.on('error', () => undefined);
  for (let taken = 0; taken < MEGABYTE;) {
    const chunk: Buffer | null = answer.read();
    if (chunk === null) await once(answer, 'readable');
    else taken += chunk.length;
  }
  return answer;
}
