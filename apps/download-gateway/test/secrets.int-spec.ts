import { connect } from 'node:net';
import { once } from 'node:events';
import { bootService, type RunningService } from '@delivery/platform/service';
import { stackEnvironment, waitFor } from '@delivery/platform/testing';
import { definition } from '../app.module';
import { GatewayWorld } from './gateway-world';

const day = 'interaction-2026-02-03';

let world: GatewayWorld;
let gateway: RunningService;
let key: string;
const logs: string[] = [];
const answers: string[] = [];

beforeAll(async () => {
  world = await GatewayWorld.open();
  await world.analyticsId('acme', 'mine');
  key = await world.key('acme', 'mine');
  await world.report('acme', 'mine', day, [Buffer.from('date\r\n')]);
  const environment = {
    ...stackEnvironment(),
    DATABASE_URL: world.test.config.url,
    DOWNLOAD_SIGNING_KEYS: world.signingKey,
    REPORT_STORE_DIR: world.root,
    HTTP_PORT: '0',
    LOG_LEVEL: 'trace',
  };
  gateway = await bootService(definition, environment, { logs: { write: (line) => void logs.push(line) } });
});
afterAll(() => world.close());

async function ask(path: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(gateway.url + path, init);
  answers.push(JSON.stringify([...answer.headers]), await answer.text());
  return answer.status;
}

/** Bytes that no client library would send. */
async function raw(head: string): Promise<void> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('data', (chunk: Buffer) => answers.push(chunk.toString()));
  socket.write(head);
  await once(socket, 'close');
}

it('never shows a key: not in a log, an error, an answer or the access log, however it was sent', async () => {
  const v2 = `/download/v2/analytics/mine/${day}`;
  const query = `apiKey=${key}`;
  const headers = { 'X-Api-Key': key };
  expect(await ask(v2, { headers })).toBe(200);
  expect(await ask(`${v2}?${query}`)).toBe(200);
  expect(await ask(`${v2}?APIKEY=${key}`)).toBe(200);
  expect(await ask(`${v2}?${query}&${query}`)).toBe(401);
  expect(await ask(`${v2}?${query}x`)).toBe(401);
  expect(await ask(`/download/v2/analytics/mine/odd?${query}`)).toBe(400);
  expect(await ask(`/download/v2/analytics/other/${day}?${query}`)).toBe(403);
  expect(await ask(`/download/nothing/here?${query}`)).toBe(404);
  expect(await ask(`/download/v2/analytics/%zz/x?${query}`)).toBe(400);
  expect(await ask(`/download/v2/analytics/${'x'.repeat(2000)}/x?${query}`)).toBe(414);
  expect(await ask(`${v2}?${query}`, { method: 'POST', body: '{', headers })).toBe(405);
  await raw(`GET ${v2}?${query} HTTP/9.9\r\nx-api-key: ${key}\r\n\r\n`);
  await raw(`GET ${v2}?${query}&${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
  const accesses = await world.accesses('acme');
  // Its end makes all that follows fail inside.
  await world.test.database.query(`ALTER TABLE analytics_report RENAME TO analytics_report_gone`);
  expect(await ask(`${v2}?${query}`, { headers })).toBe(500);
  await waitFor(async () => logs.some((line) => line.includes('analytics_report')), {
    describe: 'the error in the log',
  });
  await world.test.database.query(`ALTER TABLE analytics_report_gone RENAME TO analytics_report`);
  await gateway.stop();
  const [, secret = ''] = key.split('.');
  const shown = [...logs, ...answers, JSON.stringify(accesses)].filter((text) => text.includes(secret));
  expect(shown).toEqual([]);
});

it('never shows what signs links', () => {
  const [, material = ''] = world.signingKey.split(':');
  expect([...logs, ...answers].filter((text) => text.includes(material))).toEqual([]);
});
