import { firstHourOf, hourOf } from '@delivery/analytics/domain';
import { hoursName, reportsRequested, topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import {
  migrations as analyticsMigrations,
  removeDownloadAccess,
  ReportBacklogReadModel,
  ReportPlanStore,
} from '@delivery/analytics/store';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { topicSpecs as exportTopics } from '@delivery/exports/schema';
import { migrations as exportMigrations } from '@delivery/exports/store';
import { migrations as ingestMigrations, PositionStore } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import type { OutgoingMessage } from '@delivery/platform/kafka';
import { Database } from '@delivery/platform/postgres';
import { bootService, Metrics } from '@delivery/platform/service';
import { stackEnvironment, testDatabase, type TestDatabase, testKafka, waitFor } from '@delivery/platform/testing';
import { definition } from '../app.module';
import { planReports } from '../tasks/plan-reports';
import { ReportGauges, reportGaugeSpecs } from '../tasks/report-gauges';
import { CollectedMessages } from './collect-messages';

const migrations = [
  ...ingestMigrations,
  ...consentMigrations,
  ...exportMigrations,
  ...integrationsMigrations,
  ...analyticsMigrations,
];

let test: TestDatabase;
/** With the rights of the scheduler, and no others. */
let database: Database;

beforeAll(async () => {
  test = await testDatabase({ migrations });
  const config = Object.assign(Object.create(Object.getPrototypeOf(test.config)), test.config);
  database = await new Database(Object.assign(config, { role: 'delivery_scheduler' }), {
    applicationName: 'test',
  }).open();
  await test.database.query(
    `INSERT INTO organization (organization_id, name) VALUES ('acme', 'Acme'), ('other', 'Other')`,
  );
});
afterEach(() => test.database.query(`TRUNCATE analytics_report, analytics_key, analytics_id, download_access`));
afterAll(async () => {
  await database.close();
  await test.close();
});

interface Wanted {
  organization?: string;
  id?: string;
  settings?: string[];
  frequencies?: string[];
  aggregations?: string[];
  from?: string;
  enabled?: boolean;
}

async function want(wanted: Wanted = {}): Promise<void> {
  await test.database.query(
    `INSERT INTO analytics_id (organization_id, id, name, settings_ids, frequencies, aggregations, reports_from, enabled)
     VALUES ($1, $2, '', $3, $4, $5, $6, $7)
     ON CONFLICT (organization_id, id) DO UPDATE SET settings_ids = excluded.settings_ids,
       frequencies = excluded.frequencies, aggregations = excluded.aggregations, reports_from = excluded.reports_from,
       enabled = excluded.enabled`,
    [
      wanted.organization ?? 'acme',
      wanted.id ?? 'id1',
      wanted.settings ?? ['s1'],
      wanted.frequencies ?? ['daily'],
      wanted.aggregations ?? ['interaction'],
      wanted.from ?? '2026-02-01',
      wanted.enabled ?? true,
    ],
  );
}

const gauges = new Metrics(reportGaugeSpecs);
const late = async (): Promise<number> =>
  Number(/^analytics_report_late_seconds (.*)$/m.exec(await gauges.registry.metrics())?.[1]);

/** One call of the task. @returns the names of what it planned and told of */
async function plan(now: string, closedTo: number | undefined, nudged?: OutgoingMessage[]): Promise<string[]> {
  const before = await planned();
  const task = planReports({
    database,
    plans: new ReportPlanStore(),
    backlog: new ReportBacklogReadModel(),
    now: async () => new Date(now),
    nextHour: async () => closedTo,
    terms: { rowsPerShard: 77, escapeFormulas: true },
    publisher: { publish: async (_, messages) => (nudged?.push(...messages), []) },
    gauges: new ReportGauges(gauges),
    everySeconds: 1,
  });
  await task.run(new AbortController().signal);
  return (await planned()).filter((prefix) => !before.includes(prefix));
}

async function planned(): Promise<string[]> {
  const rows = await test.database.query<{ prefix: string }>(
    'SELECT prefix FROM analytics_report ORDER BY last_day, prefix',
  );
  return rows.map(({ prefix }) => prefix);
}

describe('reports are planned', () => {
  it('at half past seven, and not before', async () => {
    await want({ from: '2026-02-22' });
    const closed = firstHourOf('2026-02-23');
    expect(await plan('2026-02-23T07:29:59.999Z', closed)).toEqual([]);
    expect(await late()).toBe(0);
    expect(await plan('2026-02-23T07:30:00.000Z', closed)).toEqual(['interaction-2026-02-22']);
    expect(await plan('2026-02-23T07:30:05.000Z', closed)).toEqual([]);
  });

  it('not while hours are open, and tell of it when it is too late', async () => {
    await want({ from: '2026-02-22', frequencies: ['daily', 'weekly'] });
    const closed = firstHourOf('2026-02-23') - 1;
    expect(await plan('2026-02-23T07:59:59.000Z', closed)).toEqual([]);
    expect(await late()).toBe(0);
    expect(await plan('2026-02-23T08:10:00.000Z', closed)).toEqual([]);
    expect(await late()).toBe(600);
    expect(await plan('2026-02-24T08:10:00.000Z', closed)).toEqual([]);
    expect(await late()).toBe(86_400 + 600);
    expect(await plan('2026-02-24T08:10:00.000Z', closed + 25)).toEqual([
      'interaction-2026-02-16-2026-02-22',
      'interaction-2026-02-22',
      'interaction-2026-02-23',
    ]);
    expect(await late()).toBe(0);
  });

  it('not before any hour was closed', async () => {
    await want({ from: '2026-02-22' });
    expect(await plan('2026-02-23T09:00:00.000Z', undefined)).toEqual([]);
    expect(await late()).toBe(3600);
  });

  it('for each frequency and aggregation, of periods that have ended, from the day that was asked for', async () => {
    await want({
      from: '2026-02-25',
      frequencies: ['daily', 'weekly', 'monthly'],
      aggregations: ['interaction', 'granular'],
    });
    const made = await plan('2026-03-02T12:00:00Z', firstHourOf('2026-03-02') + 5);
    const names = [
      ...['2026-02-25', '2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01'],
      ...['2026-02-01-2026-02-28', '2026-02-23-2026-03-01'],
    ];
    const expected = names.flatMap((name) => [`interaction-${name}`, `granular-${name}`]);
    expect([...made].sort()).toEqual(expected.sort());
  });

  it('with what was missed in weeks without a scheduler', async () => {
    await want({ from: '2026-02-02', frequencies: ['daily', 'weekly', 'monthly'] });
    expect(await plan('2026-02-03T09:00:00Z', firstHourOf('2026-02-03'))).toEqual(['interaction-2026-02-02']);
    const missed = await plan('2026-04-06T09:00:00Z', firstHourOf('2026-04-06'));
    const count = (form: RegExp) => missed.filter((prefix) => form.test(prefix)).length;
    expect(count(/^interaction-\d{4}-\d{2}-\d{2}$/)).toBe(62);
    expect(missed).toEqual(expect.arrayContaining(['interaction-2026-02-03', 'interaction-2026-04-05']));
    expect(missed.filter((prefix) => /-01-\d{4}-\d{2}-(28|31)$/.test(prefix))).toEqual([
      'interaction-2026-02-01-2026-02-28',
      'interaction-2026-03-01-2026-03-31',
    ]);
    expect(count(/^interaction-\d{4}-\d{2}-\d{2}-\d{4}-\d{2}-\d{2}$/)).toBe(2 + 9);
    expect(await plan('2026-04-06T09:00:05Z', firstHourOf('2026-04-06'))).toEqual([]);
  });

  it('also for what is asked for later: another frequency, earlier days', async () => {
    await want({ from: '2026-02-27' });
    const [now, closed] = ['2026-03-02T12:00:00Z', firstHourOf('2026-03-02')] as const;
    expect(await plan(now, closed)).toHaveLength(3);
    await want({ from: '2026-02-27', frequencies: ['daily', 'monthly'] });
    expect(await plan(now, closed)).toEqual(['interaction-2026-02-01-2026-02-28']);
    await want({ from: '2026-02-25', frequencies: ['daily', 'monthly'] });
    expect(await plan(now, closed)).toEqual(['interaction-2026-02-25', 'interaction-2026-02-26']);
  });

  it('of enabled analytics ids only, each with the settings that it has then', async () => {
    await want({ id: 'off', enabled: false });
    await want({ id: 'on', settings: ['a', 'b'], from: '2026-02-22' });
    await want({ organization: 'other', id: 'on', settings: ['c'], from: '2026-02-22' });
    await plan('2026-02-23T12:00:00Z', firstHourOf('2026-02-23'));
    await want({ id: 'on', settings: ['b'], from: '2026-02-22' });
    await plan('2026-02-24T12:00:00Z', firstHourOf('2026-02-24'));
    const rows = await test.database.query(
      `SELECT organization_id, analytics_id, prefix, settings_ids, rows_per_shard, escape_formulas, status, attempt
       FROM analytics_report ORDER BY 1, 2, 3`,
    );
    const frozen = { analytics_id: 'on', rows_per_shard: 77, escape_formulas: true, status: 'pending', attempt: 0 };
    const [first, second] = ['interaction-2026-02-22', 'interaction-2026-02-23'];
    expect(rows).toEqual([
      { ...frozen, organization_id: 'acme', prefix: first, settings_ids: ['a', 'b'] },
      { ...frozen, organization_id: 'acme', prefix: second, settings_ids: ['b'] },
      { ...frozen, organization_id: 'other', prefix: first, settings_ids: ['c'] },
      { ...frozen, organization_id: 'other', prefix: second, settings_ids: ['c'] },
    ]);
  });

  it('once, although two schedulers plan at the same moment, and whoever makes them is told', async () => {
    await want({ from: '2026-01-01', frequencies: ['daily', 'weekly', 'monthly'] });
    const nudged: OutgoingMessage[] = [];
    const calls = [1, 2, 3].map(() => plan('2026-03-02T12:00:00Z', firstHourOf('2026-03-02'), nudged));
    await Promise.all(calls);
    expect(await planned()).toHaveLength(60 + 9 + 2);
    expect(new Set(nudged.map(({ value }) => reportsRequested.decode(value).prefix)).size).toBe(71);
    expect(nudged).toHaveLength(71);
  });

  it('shows no number that was true once', async () => {
    await test.database.query('ALTER TABLE analytics_id RENAME TO analytics_id_away');
    try {
      await expect(plan('2026-03-02T12:00:00Z', firstHourOf('2026-03-02'))).rejects.toThrow('analytics_id');
      expect(await late()).toBeNaN();
    } finally {
      await test.database.query('ALTER TABLE analytics_id_away RENAME TO analytics_id');
    }
  });
});

describe('the log of downloads', () => {
  it('is cut where it is configured, by so many rows at once', async () => {
    await test.database.query(
      `INSERT INTO download_access (organization_id, id, at, kind, analytics_id, file, status)
       SELECT 'acme', gen_random_uuid(), delivery_now() - make_interval(days => n) + interval '1 minute', 'links', 'a', 'f', 200
       FROM generate_series(1, 20) AS n`,
    );
    expect(await removeDownloadAccess(database, { days: 10, limit: 4 })).toBe(4);
    expect(await removeDownloadAccess(database, { days: 10, limit: 100 })).toBe(6);
    expect(await test.database.query('SELECT count(*)::int AS rows FROM download_access')).toEqual([{ rows: 10 }]);
  });
});

it('the scheduler plans reports of closed days by itself and nudges', async () => {
  const kafka = await testKafka([...consentTopics(1), ...exportTopics(1), ...analyticsTopics(1)]);
  const positions = new PositionStore();
  const [row] = await test.database.query<{ now: Date }>('SELECT delivery_now() AS now');
  const today = hourOf(row?.now ?? new Date());
  const firstOffset = BigInt(today);
  const start = { consumer: hoursName, topic: hoursName, partition: 0, clusterId: 'hours', firstOffset };
  await positions.begin(test.database, start);
  const seen = await new CollectedMessages(kafka.connection, [reportsRequested.name]).start();
  await test.database.query(
    `INSERT INTO download_access (organization_id, id, at, kind, analytics_id, file, status)
     VALUES ('acme', gen_random_uuid(), delivery_now() - interval '3 days', 'links', 'a', 'f', 200)`,
  );
  await want({ from: new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10) });
  const service = await bootService(definition, {
    ...stackEnvironment(),
    DATABASE_URL: test.config.url,
    KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
    SCHEDULER_REPORTS_SECONDS: '1',
    REPORT_ROWS_PER_SHARD: '123',
    DOWNLOAD_ACCESS_RETENTION_DAYS: '2',
  });
  try {
    await waitFor(() => seen.of(reportsRequested.name).length >= 8, { describe: 'nudges' });
    const terms = await test.database.query('SELECT DISTINCT rows_per_shard, escape_formulas FROM analytics_report');
    expect(terms).toEqual([{ rows_per_shard: 123, escape_formulas: false }]);
    const metrics = async () => (await fetch(`${service.url}/metrics`)).text();
    await waitFor(async () => (await metrics()).includes('analytics_reports_open{state="pending"}'), {
      describe: 'gauges',
    });
    await waitFor(async () => (await test.database.query('SELECT FROM download_access')).length === 0, {
      describe: 'retention',
    });
  } finally {
    await service.stop();
    await seen.stop();
    await kafka.close();
  }
});
