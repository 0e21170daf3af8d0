import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { layoutOf, verifyManifest } from '@delivery/exports/domain';
import { deliveredEventSchema } from '@delivery/exports/schema';
import type { ExportRun } from '@delivery/exports/store';
import { verifySignature } from '@delivery/platform/secrets';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { ExportWorld } from './export-world';

const validEvent = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false })).compile(
  deliveredEventSchema,
);
const named = (id: string) => ({ organization_user_id: id });

let world: ExportWorld;
beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
afterEach(() => world.reset());

interface DeliveredEvent {
  id: string;
  user: { organization_user_id: string | null };
}

/** Read back without any code of the platform. */
async function eventsOf(run: ExportRun): Promise<DeliveredEvent[]> {
  const keys = (await world.tree()).filter((key) => key.includes(`/${run.id}-`));
  const texts = await Promise.all(
    keys.map(async (key) => {
      const bytes = await readFile(join(world.bucket, key));
      return (key.endsWith('.zst') ? zstdDecompressSync(bytes) : gunzipSync(bytes)).toString();
    }),
  );
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as DeliveredEvent);
}

const idsOf = async (run: ExportRun) => (await eventsOf(run)).map(({ id }) => id);

describe('a run of events', () => {
  it('delivers each event of its window by itself, in the order of the log', async () => {
    const key = await world.newIntegration({}, undefined, 'events');
    const org = key.organizationId;
    await world.record(org, [{ id: 'b1', user: named('bob') }], 1);
    await world.record(org, [
      { id: 'a1', user: named('ann') },
      { id: 'a2', user: named('bob') },
      { id: 'a3', user: named('ann') },
    ]);
    const run = await world.deliver(key);
    const events = await eventsOf(run);
    expect(events.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3', 'b1']);
    for (const event of events) expect([event, validEvent(event), validEvent.errors]).toEqual([event, true, null]);
    const folder = `data/export-id=${key.integrationId}/date=${run.date}/events`;
    expect(await world.tree()).toEqual([
      `${folder}/${run.id}-000000.json.gz`,
      `${folder}/_SUCCESS`,
      `${folder}/_manifest-${run.id}.json`,
    ]);
    const { manifest, faults } = verifyManifest(await world.manifestBytesOf(run), (input, { value }) =>
      verifySignature(world.signer.publicKey, input, value) ? 'valid' : 'invalid',
    );
    expect(faults).toEqual([]);
    expect(manifest).toMatchObject({ content: 'consent-events', totals: { rows: 4, events: 4, users: 0 } });
    expect(await world.stored(run)).toMatchObject({ progress: { events: 4, estimated_events: 4 } });
  });

  it('has no event that does not count, and what comes later is in the next run', async () => {
    const key = await world.newIntegration({}, undefined, 'events');
    await world.record(key.organizationId, [
      { id: 'e1', user: named('ann') },
      { id: 'guest', source: 'sdk-web', user: { id: 'device' } },
      { id: 'pending', status: 'pending_approval', user: named('ann') },
      { id: 'ccpa', regulation: 'ccpa', user: named('ann') },
      { id: 'e1', user: named('ann') },
    ]);
    await world.record('other', [{ id: 'theirs', user: named('ann') }]);
    const first = await world.deliver(key);
    await world.record(key.organizationId, [{ id: 'e2', user: named('ann') }]);
    const second = await world.deliver(key);
    expect(await idsOf(first)).toEqual(['e1']);
    expect(await idsOf(second)).toEqual(['e2']);
  });

  it('is split at the same lines every time', async () => {
    const key = await world.newIntegration({ split: { maxRows: 2 } }, undefined, 'events');
    const events = Array.from({ length: 5 }, (_, n) => ({ id: `e${n}`, user: named(`u${n}`) }));
    await world.record(key.organizationId, events);
    const run = await world.deliver(key);
    expect((await world.manifestOf(run)).files.map(({ rows }) => rows)).toEqual([2, 2, 1]);
    const files = async () => [...(await world.bytesOf(run))].filter(([name]) => name.endsWith('.gz'));
    const before = await files();
    await world.db.query(`UPDATE export_run SET status = 'pending' WHERE id = $1`, [run.id]);
    await world.execute(await world.claim());
    expect(await files()).toEqual(before);
  });

  it('without events has no file', async () => {
    const key = await world.newIntegration({}, undefined, 'events');
    const run = await world.deliver(key);
    expect(await world.names()).toEqual(['_SUCCESS', `_manifest-${run.id}.json`]);
  });
});

it.each(['events', 'users'] as const)('%s can be compressed with zstd', async (dataset) => {
  const key = await world.newIntegration(
    { compression: 'zstd', layout: layoutOf(dataset, 'zstd') },
    undefined,
    dataset,
  );
  await world.record(key.organizationId, [{ id: 'e1', user: named('ann') }]);
  const run = await world.deliver(key);
  expect(await world.names()).toContain(`${run.id}-000000.json.zst`);
  expect(await eventsOf(run)).toMatchObject([dataset === 'events' ? { id: 'e1' } : { events: [{ id: 'e1' }] }]);
});
