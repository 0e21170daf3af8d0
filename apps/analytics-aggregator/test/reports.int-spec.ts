import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { shardFile } from '@delivery/analytics/domain';
import { ReportBacklogReadModel } from '@delivery/analytics/store';
import { DestinationError } from '@delivery/destinations/driver';
import { canonicalJson } from '@delivery/exports/domain';
import { verifySignature } from '@delivery/platform/secrets';
import { Lifecycle } from '@delivery/platform/service';
import { waitFor } from '@delivery/platform/testing';
import { ReportRetention } from '../reports/report-retention';
import { writeReport } from '../reports/write-report';
import { faultyStore } from './faulty-store';
import { ReportWorld } from './report-world';

const DAY = '2026-02-27';
const INTERACTION_HEADER = 'date,settingsId,eventType,platform,browser,country,count';
const GRANULAR_HEADER = 'date,settingsId,templateId,dataProcessingService,action,actionType,consent,count';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const csv = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('');

let world: ReportWorld;
beforeAll(async () => {
  world = await ReportWorld.open();
});
afterEach(() => world.reset());
afterAll(() => world.close());

describe('a report', () => {
  it('has what was counted of its settings in its days, summed over partitions, in a fixed order', async () => {
    await world.interactions(
      { partition: 0, count: 2 },
      { partition: 1, count: 40 },
      { settingsId: 'S2', browser: 'a,b "c"', country: '' },
      { eventType: 'ACCEPT_ALL_L1', browser: 'Zebra', count: 3 },
      { eventType: 'ACCEPT_ALL_L1', browser: 'ant', platform: '', count: Number.MAX_SAFE_INTEGER },
      { eventType: 'ACCEPT_ALL_L1', browser: 'ant', platform: '', partition: 1, count: 2 },
      { settingsId: 'other', count: 1000 },
      { organizationId: 'evil', count: 1000 },
      { day: '2026-02-26', count: 1000 },
      { day: '2026-02-28', count: 1000 },
    );
    const key = await world.plan(`interaction-${DAY}`, { settingsIds: ['s1', 'S2', 'unused'] });
    const report = await world.make(key);
    const text = csv(
      INTERACTION_HEADER,
      `${DAY},S2,CMP_SHOWN,web,"a,b ""c""",,1`,
      `${DAY},s1,ACCEPT_ALL_L1,,ant,FR,9007199254740993`,
      `${DAY},s1,ACCEPT_ALL_L1,web,Zebra,FR,3`,
      `${DAY},s1,CMP_SHOWN,web,firefox,FR,42`,
    );
    const files = await world.files(key);
    expect(files.get(`interaction-${DAY}-000000000000.csv`)).toBe(text);
    expect(report).toMatchObject({
      status: 'published',
      attempt: 1,
      rows: 4,
      bytes: Buffer.byteLength(text),
      shards: [{ rows: 4, bytes: Buffer.byteLength(text), sha256: sha256(text) }],
      lastError: undefined,
    });
    expect([...files.keys()]).toEqual([`_manifest-interaction-${DAY}.json`, `interaction-${DAY}-000000000000.csv`]);
  });

  it('of decisions has the last one of each device, as the closed day holds it, in rows per day', async () => {
    await world.db.query(
      `INSERT INTO granular_daily VALUES
         ('acme', '2026-02-23', 's1', 'tpl1', 'Maps, Inc.', 0, 'explicit', 1, 5),
         ('acme', '2026-02-23', 's1', 'tpl1', 'Maps, Inc.', 1, 'explicit', 0, 7),
         ('acme', '2026-03-01', 's1', 'tpl1', 'Maps, Inc.', 0, 'implicit', 1, 2),
         ('acme', '2026-03-02', 's1', 'tpl1', 'Maps, Inc.', 0, 'implicit', 1, 99),
         ('acme', '2026-02-22', 's1', 'tpl1', 'Maps, Inc.', 0, 'implicit', 1, 99),
         ('acme', '2026-02-24', 's2', 'tpl1', 'Maps, Inc.', 0, 'implicit', 1, 99),
         ('evil', '2026-02-24', 's1', 'tpl1', 'Maps, Inc.', 0, 'implicit', 1, 99)`,
    );
    const key = await world.plan('granular-2026-02-23-2026-03-01');
    await world.make(key);
    expect((await world.files(key)).get(shardFile(key.prefix, 0))).toBe(
      csv(
        GRANULAR_HEADER,
        '2026-02-23,s1,tpl1,"Maps, Inc.",0,explicit,1,5',
        '2026-02-23,s1,tpl1,"Maps, Inc.",1,explicit,0,7',
        '2026-03-01,s1,tpl1,"Maps, Inc.",0,implicit,1,2',
      ),
    );
  });

  it('of a month is of all its days and no others, also in February of a leap year', async () => {
    await world.interactions(
      { day: '2024-01-31', count: 100 },
      { day: '2024-02-01', count: 1 },
      { day: '2024-02-29', count: 2 },
      { day: '2024-03-01', count: 100 },
    );
    const key = await world.plan('interaction-2024-02-01-2024-02-29');
    await world.make(key);
    expect((await world.files(key)).get(shardFile(key.prefix, 0))).toBe(
      csv(INTERACTION_HEADER, '2024-02-01,s1,CMP_SHOWN,web,firefox,FR,1', '2024-02-29,s1,CMP_SHOWN,web,firefox,FR,2'),
    );
  });

  it('of a period without data is a file with a header', async () => {
    for (const prefix of [`interaction-${DAY}`, `granular-${DAY}`]) {
      const key = await world.plan(prefix);
      const report = await world.make(key);
      const header = csv(prefix.startsWith('g') ? GRANULAR_HEADER : INTERACTION_HEADER);
      expect((await world.files(key)).get(shardFile(prefix, 0))).toBe(header);
      expect(report).toMatchObject({ rows: 0, bytes: header.length });
      expect(report.shards).toHaveLength(1);
    }
  });

  it('keeps formulas from spreadsheets when it was planned so', async () => {
    await world.interactions({ browser: '=HYPERLINK("x")' });
    const key = await world.plan(`interaction-${DAY}`, { escapeFormulas: true });
    await world.make(key);
    expect((await world.files(key)).get(shardFile(key.prefix, 0))).toContain(`,"'=HYPERLINK(""x"")",FR`);
  });

  it('has as many files as its rows need, each with the header, and a signed manifest of them', async () => {
    await world.manyInteractions(7);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 3 });
    const report = await world.make(key);
    const files = await world.files(key);
    const shards = [0, 1, 2].map((n) => files.get(shardFile(key.prefix, n)) ?? '');
    expect(files.size).toBe(4);
    expect(shards.map((text) => text.split('\r\n').length - 2)).toEqual([3, 3, 1]);
    expect(shards.every((text) => text.startsWith(`${INTERACTION_HEADER}\r\n`))).toBe(true);
    const { signature, ...manifest } = JSON.parse(files.get(`_manifest-${key.prefix}.json`) ?? '');
    expect(manifest).toMatchObject({
      organization_id: 'acme',
      analytics_id: key.analyticsId,
      report: key.prefix,
      settings_ids: ['s1'],
      files: shards.map((text, n) => ({
        name: shardFile(key.prefix, n),
        bytes: Buffer.byteLength(text),
        rows: [3, 3, 1][n],
        sha256: sha256(text),
      })),
      totals: { files: 3, rows: 7 },
    });
    expect(report.shards).toEqual(manifest.files.map(({ name: _, ...shard }: { name: string }) => shard));
    const signed = Buffer.from(canonicalJson(manifest));
    expect(verifySignature(world.signer.publicKey, signed, signature.value)).toBe(true);
  });

  it('has the same bytes when it is made again', async () => {
    await world.manyInteractions(12_345);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 5_000 });
    await world.make(key);
    const before = await world.files(key);
    expect(before.size).toBe(4);
    await world.db.transaction(async (tx) => {
      // In another order on the disk, and so in another order unless it is asked for.
      await tx.query(
        `CREATE TEMPORARY TABLE again ON COMMIT DROP AS SELECT * FROM interaction_daily ORDER BY md5(browser)`,
      );
      await tx.query('TRUNCATE interaction_daily');
      await tx.query(`INSERT INTO interaction_daily SELECT * FROM again`);
      await tx.query(`UPDATE analytics_report SET status = 'pending', published_at = NULL, shards = '[]'`);
    });
    const again = await world.make(key);
    expect(again.attempt).toBe(2);
    expect(await world.files(key)).toEqual(before);
  });
});

describe('making reports', () => {
  it('publishes nothing of a report that failed between its files, and the next attempt publishes it whole', async () => {
    await world.manyInteractions(6);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 2 });
    let broken = true;
    const store = faultyStore(world.store, (action) => {
      if (broken && action === `write ${shardFile(key.prefix, 1)}`) {
        throw new DestinationError('quota_exceeded', 'There is no room. Free space.');
      }
    });
    const { metrics } = world.begin({ store });
    const failed = await world.becomes(key, ({ lastError }) => lastError !== undefined);
    expect(failed).toMatchObject({ status: 'pending', attempt: 1, shards: [], publishedAt: undefined });
    expect(failed.lastError).toBe('There is no room. Free space');
    expect(failed.retryAt?.getTime()).toBeGreaterThan(failed.plannedAt.getTime());
    expect([...(await world.files(key)).keys()]).toEqual([shardFile(key.prefix, 0)]);
    broken = false;
    const published = await world.make(key);
    expect(published).toMatchObject({ rows: 6, lastError: undefined, retryAt: undefined });
    expect(published.attempt).toBeGreaterThan(1);
    expect((await world.files(key)).size).toBe(4);
    expect(await metrics.registry.metrics()).toContain(
      'analytics_report_attempts_ended_total{aggregation="interaction",outcome="published"} 1',
    );
  });

  it('takes over from a process that was killed, which can publish nothing any more', async () => {
    await world.manyInteractions(4);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 2 });
    const killed = await world.reports.claim(world.aggregator, { leaseSeconds: 60 });
    if (killed === undefined) throw new Error('nothing to claim');
    // It was killed in its second file, whose unfinished upload stays behind.
    const folder = `analytics/acme/${key.analyticsId}/`;
    const signal = new AbortController().signal;
    const upload = await world.store.createObject(folder + shardFile(key.prefix, 1), { contentType: 'x', signal });
    await upload.write(Buffer.from('half'));

    expect(await world.reports.claim(world.aggregator, { leaseSeconds: 60 })).toBeUndefined();
    await world.db.query(`UPDATE analytics_report SET lease_until = delivery_now() - interval '1 s'`);
    const report = await world.make(key);
    await upload.abort();
    expect(report).toMatchObject({ attempt: 2, rows: 4 });
    expect([...(await world.files(key)).keys()]).toEqual([
      `_manifest-${key.prefix}.json`,
      shardFile(key.prefix, 0),
      shardFile(key.prefix, 1),
    ]);

    const { aggregator, reports } = world;
    expect(await reports.publish(aggregator, killed, [])).toBe('lost');
    expect(await reports.fail(aggregator, killed, 'late', 1)).toBe('lost');
    expect(await reports.release(aggregator, killed)).toBe('lost');
    expect(await reports.renewLease(aggregator, killed, 60)).toBe('lost');
    expect(await reports.find(world.db, key)).toEqual(report);
  });

  it('stops writing when another process has taken the report over', async () => {
    await world.manyInteractions(4);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 2 });
    const actions: string[] = [];
    const store = faultyStore(world.store, async (action, signal) => {
      actions.push(action);
      if (action !== `create ${shardFile(key.prefix, 1)}`) return;
      await world.db.query(`UPDATE analytics_report SET attempt = attempt + 1`);
      await once(signal, 'abort');
    });
    const { metrics } = world.begin({ store }, { leaseSeconds: 2, pollSeconds: 3600 });
    await waitFor(async () => (await metrics.registry.metrics()).includes('outcome="lost"} 1'), {
      describe: 'its end',
    });
    expect(actions.at(-1)).toBe(`create ${shardFile(key.prefix, 1)}`);
    expect(await world.reports.find(world.db, key)).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('makes each report once, by whichever of two processes', async () => {
    await world.manyInteractions(3);
    const first = await world.plan(`interaction-${DAY}`);
    const days = Array.from({ length: 40 }, (_, n) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10));
    const wish = { ...first, aggregation: 'granular', frequency: 'daily', settingsIds: ['s1'] } as const;
    const periods = days.map((day) => ({ frequency: 'daily' as const, firstDay: day, lastDay: day }));
    const terms = { rowsPerShard: 10, escapeFormulas: false };
    await world.plans.insert(world.db, { ...wish, reportsFrom: DAY, planned: undefined }, periods, terms);
    const waiting: (() => void)[] = [];
    const both = [0, 1].map(() => {
      let first = true;
      // Neither goes on before both have a report.
      const store = faultyStore(world.store, async () => {
        if (!first) return;
        first = false;
        const others = new Promise<void>((resolve) => waiting.push(resolve));
        if (waiting.length === 2) waiting.forEach((go) => go());
        await others;
      });
      return world.begin({ store });
    });
    await waitFor(
      async () => {
        const [row] = await world.db.query(`SELECT 1 FROM analytics_report WHERE status <> 'published'`);
        return row === undefined;
      },
      { describe: 'all reports' },
    );
    expect(await world.db.query('SELECT DISTINCT attempt FROM analytics_report')).toEqual([{ attempt: 1 }]);
    const made = await Promise.all(both.map(({ metrics }) => metrics.registry.metrics()));
    const counts = made.map((text) => Number(/attempt_seconds_count{outcome="published"} (\d+)/.exec(text)?.[1] ?? 0));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(41);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('begins with the newest: what is caught up does not make today late', async () => {
    const old = await world.plan('interaction-2026-01-01');
    const young = await world.plan('interaction-2026-02-01');
    const { aggregator, reports } = world;
    const claimed = await reports.claim(aggregator, { leaseSeconds: 60 });
    expect(claimed).toMatchObject(young);
    expect(await reports.claim(aggregator, { leaseSeconds: 60 })).toMatchObject(old);
    expect(await reports.claim(aggregator, { leaseSeconds: 60 })).toBeUndefined();
    if (claimed !== undefined) await reports.fail(aggregator, claimed, 'no room', 3600);
    expect(await reports.claim(aggregator, { leaseSeconds: 60 })).toBeUndefined();
  });

  it('gives a report back when the process stops in the middle of it', async () => {
    await world.manyInteractions(12_000);
    const key = await world.plan(`interaction-${DAY}`, { rowsPerShard: 1_000 });
    let reached: () => void = () => undefined;
    const third = new Promise<void>((resolve) => (reached = resolve));
    const store = faultyStore(world.store, async (action, signal) => {
      if (action !== `create ${shardFile(key.prefix, 2)}`) return;
      reached();
      await once(signal, 'abort');
    });
    const making = world.begin({ store });
    await third;
    await making.stop();
    const given = await world.reports.find(world.db, key);
    expect(given).toMatchObject({ status: 'pending', retryAt: undefined, lastError: undefined });
    world.begin();
    await world.make(key);
    expect([...(await world.files(key)).keys()].some((name) => name.endsWith('.unfinished'))).toBe(false);
  });

  it('of a day does not sweep what is being uploaded of its month', async () => {
    await world.interactions({ day: '2026-02-01' });
    const month = await world.plan('interaction-2026-02-01-2026-02-28', { analyticsId: 'same' });
    const folder = 'analytics/acme/same/';
    const signal = new AbortController().signal;
    const uploading = await world.store.createObject(folder + shardFile(month.prefix, 0), { contentType: 'x', signal });
    const day = {
      aggregation: 'interaction',
      frequency: 'daily',
      firstDay: '2026-02-01',
      lastDay: '2026-02-01',
    } as const;
    const { deps } = world.deps();
    const plan = { ...day, organizationId: 'acme', analyticsId: 'same', prefix: 'interaction-2026-02-01' };
    await writeReport(deps, { ...plan, settingsIds: ['s1'], rowsPerShard: 1, escapeFormulas: false }, signal);
    await uploading.write(Buffer.from('whole'));
    await expect(uploading.finish()).resolves.toEqual({ bytes: 5 });
  });

  it('tells which report is late, and why', async () => {
    const key = await world.plan('interaction-2026-02-27');
    const store = faultyStore(world.store, () => {
      throw new DestinationError('access_denied', 'The bucket refuses.');
    });
    const { writer } = world.begin({ store });
    await world.becomes(key, ({ lastError }) => lastError !== undefined);
    // Planned just now: it has half an hour, however long ago it was promised.
    expect(await writer.fault()).toBeUndefined();
    const backlog = new ReportBacklogReadModel();
    expect(await backlog.read(world.aggregator)).toMatchObject({ failing: 1, pending: 0, running: 0, lateSeconds: 0 });
    await world.db.query(`UPDATE analytics_report SET planned_at = planned_at - interval '90 minutes'`);
    expect(await writer.fault()).toMatch(
      new RegExp(`^Report interaction-2026-02-27 of ${key.analyticsId} is 36\\d\\d s late: The bucket refuses\\.$`),
    );
    const { lateSeconds } = await backlog.read(world.aggregator);
    expect(lateSeconds).toBeGreaterThanOrEqual(3600);
    expect(lateSeconds).toBeLessThan(3700);
  });
});

describe('retention', () => {
  async function sweep(days = 400, store = world.store): Promise<void> {
    const { deps } = world.deps({ store });
    await new ReportRetention(days, deps, new Lifecycle()).sweep(new AbortController().signal);
  }
  const age = (key: { prefix: string }, interval: string) =>
    world.db.query(`UPDATE analytics_report SET published_at = published_at - $2::interval WHERE prefix = $1`, [
      key.prefix,
      interval,
    ]);

  it('removes the files of reports that were published long ago, and no others', async () => {
    await world.manyInteractions(4);
    const options = { analyticsId: 'same', rowsPerShard: 2 };
    const old = await world.plan('interaction-2026-02-27', options);
    await world.make(old);
    const young = { ...old, prefix: 'interaction-2026-02-01-2026-02-28' };
    const wish = { ...old, aggregation: 'interaction', settingsIds: ['s1'], planned: undefined } as const;
    const period = { frequency: 'monthly', firstDay: '2026-02-01', lastDay: '2026-02-28' } as const;
    const terms = { rowsPerShard: 2, escapeFormulas: false };
    await world.plans.insert(world.db, { ...wish, frequency: 'monthly', reportsFrom: DAY }, [period], terms);
    await world.make(young);
    const all = await world.files(old);
    await age(old, '399 days 23 hours');
    await sweep();
    expect(await world.files(old)).toEqual(all);
    await age(old, '1 hour');
    await sweep();
    const left = [...all.keys()].filter((name) => name.includes(young.prefix));
    expect(left).toHaveLength(3);
    expect([...(await world.files(old)).keys()]).toEqual(left);
    const removed = await world.reports.find(world.db, old);
    expect(removed).toMatchObject({ status: 'removed', removedAt: expect.any(Date), publishedAt: expect.any(Date) });
    expect(await world.reports.find(world.db, young)).toMatchObject({ status: 'published' });
    expect(await world.reports.claim(world.aggregator, { leaseSeconds: 60 })).toBeUndefined();
  });

  it('goes on where it failed, and gives out no report from then on', async () => {
    const key = await world.plan(`interaction-${DAY}`);
    await world.make(key);
    await age(key, '11 days');
    const store = faultyStore(world.store, (action) => {
      if (action.startsWith('delete')) throw new DestinationError('unavailable', 'The store is away.');
    });
    await expect(sweep(10, store)).rejects.toThrow('The store is away.');
    expect(await world.reports.find(world.db, key)).toMatchObject({ status: 'removed', removedAt: undefined });
    expect((await world.files(key)).size).toBe(2);
    await sweep(10);
    expect((await world.files(key)).size).toBe(0);
    expect(await world.reports.find(world.db, key)).toMatchObject({ removedAt: expect.any(Date) });
  });
});

describe('the list of reports', () => {
  it('is of one analytics id, the newest first, in pages', async () => {
    await world.plan('interaction-2026-01-01', { analyticsId: 'mine' });
    const key = { organizationId: 'acme', analyticsId: 'mine' };
    const wish = { ...key, aggregation: 'granular', settingsIds: ['s1'], planned: undefined } as const;
    const week = { frequency: 'weekly', firstDay: '2026-01-05', lastDay: '2026-01-11' } as const;
    const terms = { rowsPerShard: 2, escapeFormulas: false };
    await world.plans.insert(world.db, { ...wish, frequency: 'weekly', reportsFrom: DAY }, [week], terms);
    await world.plan('interaction-2026-01-02', { analyticsId: 'other' });
    await world.plan('interaction-2026-01-02', { analyticsId: 'mine', organizationId: 'evil' });
    const page = async (filter: object) => {
      const found = await world.reports.page(world.db, { ...key, limit: 10, skip: 0, ...filter });
      return { total: found.total, prefixes: found.data.map(({ prefix }) => prefix) };
    };
    const [weekly, daily] = ['granular-2026-01-05-2026-01-11', 'interaction-2026-01-01'];
    expect(await page({})).toEqual({ total: 2, prefixes: [weekly, daily] });
    expect(await page({ limit: 1, skip: 1 })).toEqual({ total: 2, prefixes: [daily] });
    expect(await page({ frequency: 'weekly' })).toEqual({ total: 1, prefixes: [weekly] });
    expect(await page({ aggregation: 'interaction' })).toEqual({ total: 1, prefixes: [daily] });
  });
});
