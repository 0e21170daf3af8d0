import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { verifyChain, verifyManifest, storedManifest } from '@delivery/exports/domain';
import { deliveredLineSchema, manifestSchema } from '@delivery/exports/schema';
import { verifySignature } from '@delivery/platform/secrets';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { deliveredEvents, ExportWorld } from './export-world';

const ajv = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false }));
const validLine = ajv.compile(deliveredLineSchema);
const validManifest = ajv.compile(manifestSchema);

let world: ExportWorld;
beforeAll(async () => {
  world = await ExportWorld.open();
});
afterAll(() => world.close());
afterEach(() => world.reset());

const named = (id: string) => ({ organization_user_id: id });

describe('a run', () => {
  it('delivers each user of its window with his events, and says so last', async () => {
    const key = await world.newIntegration();
    const org = key.organizationId;
    await world.record(org, [
      { id: 'e1', user: named('ann') },
      { id: 'e2', user: named('bob') },
      { id: 'e3', user: named('ann') },
    ]);
    await world.record(org, [{ id: 'e4', user: named('ann') }], 1);
    const run = await world.deliver(key);

    const lines = await world.linesOf(run);
    const events = Object.fromEntries(lines.map((line) => [line.events.map(({ id }) => id).join(), line.user.version]));
    expect(events).toEqual({ 'e1,e3,e4': 3, e2: 1 });
    for (const line of lines) expect([line, validLine(line), validLine.errors]).toEqual([line, true, null]);

    const [, date] = /date=([\d-]+)/.exec((await world.tree())[0] ?? '') ?? [];
    expect(date).toBe(run.dueAt.toISOString().slice(0, 10));
    const folder = `data/export-id=${key.integrationId}/date=${date}/users`;
    expect(await world.tree()).toEqual([
      `${folder}/${run.id}-000000.json.gz`,
      `${folder}/_SUCCESS`,
      `${folder}/_manifest-${run.id}.json`,
    ]);
    expect(await world.stored(run)).toMatchObject({
      status: 'completed',
      progress: { files: 1, rows: 2, users: 2, events: 4, estimated_events: 4 },
      manifestKey: `${folder}/_manifest-${run.id}.json`,
    });
  });

  it('signs what it delivered', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: named('ann') }]);
    const run = await world.deliver(key);
    const bytes = await world.manifestBytesOf(run);
    const { manifest, faults } = verifyManifest(bytes, (input, { value }) =>
      verifySignature(world.signer.publicKey, input, value) ? 'valid' : 'invalid',
    );
    expect(faults).toEqual([]);
    expect([validManifest(JSON.parse(bytes.toString())), validManifest.errors]).toEqual([true, null]);
    const [file] = manifest?.files ?? [];
    const stored = (await world.bytesOf(run)).get(file?.key ?? '');
    expect(file).toMatchObject({
      bytes: stored?.length,
      rows: 1,
      sha256: createHash('sha256')
        .update(stored ?? '')
        .digest('hex'),
    });
    expect(manifest).toMatchObject({
      organization_id: key.organizationId,
      export_id: key.integrationId,
      trigger: 'manual',
    });
    expect((await world.stored(run)).manifestSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('without events still ends in _SUCCESS, with no file and 0 users', async () => {
    const key = await world.newIntegration();
    const run = await world.deliver(key);
    expect(await world.names()).toEqual(['_SUCCESS', `_manifest-${run.id}.json`]);
    expect((await world.manifestOf(run)).totals).toEqual({ files: 0, bytes: 0, rows: 0, users: 0, events: 0 });
    expect(await world.stored(run)).toMatchObject({ status: 'completed', progress: { users: 0 } });
  });

  it('is followed by one that has exactly what came later, in the same folder', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [
      { id: 'e1', user: named('ann') },
      { id: 'e2', user: named('bob') },
    ]);
    const first = await world.deliver(key);
    await world.record(key.organizationId, [{ id: 'e3', user: named('ann'), created_at: '2020-01-01T00:00:00Z' }]);
    const second = await world.deliver(key);

    expect([...deliveredEvents(await world.linesOf(first)).keys()].sort()).toEqual(['e1', 'e2']);
    expect([...deliveredEvents(await world.linesOf(second))]).toEqual([['e3', 1]]);
    expect((await world.linesOf(second))[0]?.user.version).toBe(2);
    expect(new Set((await world.tree()).map(dirname)).size).toBe(1);
    expect(await world.names()).toHaveLength(5);

    const chain = await Promise.all(
      [first, second].map(async (run) => storedManifest(await world.manifestOf(run), await world.manifestBytesOf(run))),
    );
    expect(chain[1]?.manifest.previous).toEqual({ run: first.id, sha256: chain[0]?.sha256 });
    expect(verifyChain(chain)).toEqual({ faults: [], notes: [] });
    expect(chain[0]?.manifest.window.from_at).toBeNull();
    expect(chain[1]?.manifest.window.from_at).toBe(chain[0]?.manifest.window.to_at);
  });

  it('writes the same bytes when it is executed again', async () => {
    const key = await world.newIntegration({ split: { maxRows: 3 } });
    const users = Array.from({ length: 20 }, (_, n) => ({ id: `e${n}`, user: named(`u${n % 8}`) }));
    for (let n = 0; n < users.length; n += 4) await world.record(key.organizationId, users.slice(n, n + 4), n % 3);
    const run = await world.deliver(key);
    const before = await world.bytesOf(run);
    expect([...before.keys()].filter((name) => name.endsWith('.json.gz'))).toHaveLength(3);
    // As if the exporter had died after everything was written and before it was told.
    await world.db.query(`UPDATE export_schedule SET last_run_id = NULL, last_manifest_sha256 = NULL`);
    await world.db.query(`UPDATE export_run SET status = 'pending'`);
    await world.record(key.organizationId, [{ id: 'late', user: named('u1') }]);
    expect(await world.execute(await world.claim())).toBe('completed');
    expect(await world.bytesOf(run)).toEqual(before);
  });

  it('sees the state as of its window, not as of now', async () => {
    const key = await world.newIntegration();
    await world.record(key.organizationId, [{ id: 'e1', user: named('ann') }]);
    await world.planned(key);
    await world.record(key.organizationId, [{ id: 'e2', user: named('ann') }]);
    const run = await world.claim();
    await world.execute(run);
    const lines = await world.linesOf(run);
    expect(lines).toMatchObject([{ user: { version: 1 }, events: [{ id: 'e1' }] }]);
    expect(lines).toHaveLength(1);
  });
});

describe('what is delivered', () => {
  it('leaves out pending events, other regulations and other organizations', async () => {
    const key = await world.newIntegration();
    const org = key.organizationId;
    await world.record(org, [
      { id: 'yes', user: named('ann') },
      { id: 'pending', user: named('ann'), status: 'pending_approval' },
      { id: 'only-pending', user: named('cat'), status: 'pending_approval' },
      { id: 'other-law', user: named('ann'), regulation: 'ccpa' },
    ]);
    await world.record(`${org}x`, [{ id: 'theirs', user: named('ann') }]);
    const run = await world.deliver(key);
    expect([...deliveredEvents(await world.linesOf(run))]).toEqual([['yes', 1]]);
  });

  it('has guests only when the organization wants them', async () => {
    const guest = { source: 'sdk-web', user: { id: 'guest-1' } };
    const key = await world.newIntegration();
    await world.record(key.organizationId, [
      { ...guest, id: 'g1' },
      { id: 'e1', user: named('ann') },
    ]);
    const without = await world.deliver(key);
    expect([...deliveredEvents(await world.linesOf(without)).keys()]).toEqual(['e1']);

    await world.record(key.organizationId, [{ ...guest, id: 'g2' }]);
    await world.planned(key, { readSettings: async () => ({ includeGuests: true }) });
    const included = await world.claim();
    await world.execute(included);
    expect([...deliveredEvents(await world.linesOf(included)).keys()]).toEqual(['g2']);
  });

  it('gives a user with very many events several lines, in order', async () => {
    const key = await world.newIntegration();
    const events = Array.from({ length: 2500 }, (_, n) => ({
      id: `e${String(n).padStart(4, '0')}`,
      user: named('ann'),
    }));
    await world.record(key.organizationId, events);
    await world.record(key.organizationId, [{ id: 'b1', user: named('bob') }]);
    const run = await world.deliver(key);
    const lines = (await world.linesOf(run)).filter((line) => line.events[0]?.id !== 'b1');
    expect(lines.map((line) => line.events.length)).toEqual([1000, 1000, 500]);
    expect(lines.flatMap((line) => line.events.map(({ id }) => id))).toEqual(events.map(({ id }) => id));
    expect(new Set(lines.map((line) => line.user.version))).toEqual(new Set([2500]));
    expect((await world.manifestOf(run)).totals).toMatchObject({ rows: 4, users: 2, events: 2501 });
  });

  it('keeps text as it came', async () => {
    const key = await world.newIntegration();
    const text = 'quote " backslash \\ comma , newline \n tab \t ü 漢字 😀 \\N \\. \u2028';
    await world.record(key.organizationId, [{ id: 'e1', user: named('ann'), metadata: { text } }]);
    const run = await world.deliver(key);
    expect(await world.linesOf(run)).toMatchObject([{ events: [{ metadata: { text } }] }]);
  });

  it('cuts files at the limits of the export', async () => {
    const key = await world.newIntegration({
      split: { maxBytes: 3000 },
      compression: 'none',
      layout: 'out/{id}/{run}-{n}.json',
    });
    await world.record(
      key.organizationId,
      Array.from({ length: 12 }, (_, n) => ({ id: `e${n}`, user: named(`u${n}`) })),
    );
    const id = await world.planned(key);
    const run = await world.claim();
    expect(run.id).toBe(id);
    expect(await world.execute(run)).toBe('completed');
    const { files } = await world.manifestOf(run);
    expect(files.length).toBeGreaterThan(2);
    for (const { bytes, rows } of files.slice(0, -1)) expect(bytes - bytes / rows).toBeLessThan(3000);
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(12);
  });
});
