import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Aggregation, type Frequency, reportFolder, shardFile } from '@delivery/analytics/domain';
import {
  AnalyticsIdStore,
  AnalyticsKeyStore,
  type DownloadAccess,
  DownloadAccessStore,
  migrations as analytics,
  type ReportShard,
} from '@delivery/analytics/store';
import { migrations as consent } from '@delivery/consent/store';
import type { DestinationDriver } from '@delivery/destinations/driver';
import { openFileDestination } from '@delivery/destinations/file';
import { migrations as exports } from '@delivery/exports/store';
import { migrations as ingest } from '@delivery/ingest/store';
import { migrations as integrations } from '@delivery/integrations/store';
import { generateApiKey, hashSecret } from '@delivery/platform/auth';
import { generateNamedKey } from '@delivery/platform/secrets';
import { bootService, type RunningService } from '@delivery/platform/service';
import { stackEnvironment, testDatabase, type TestDatabase, waitFor } from '@delivery/platform/testing';
import { createHash } from 'node:crypto';
import { definition } from '../app.module';
import { DatabaseWire } from './database-wire';

const MOST = 100;

export interface KeyOptions {
  frequencies?: readonly Frequency[];
  aggregations?: readonly Aggregation[];
}

/** A gateway with a database and a report store of its own, and reports as the writer leaves them. */
export class GatewayWorld {
  private constructor(
    readonly test: TestDatabase,
    readonly gateway: RunningService,
    readonly store: DestinationDriver,
    /** Of its gateway, and of further ones on the same data. */
    readonly environment: Readonly<Record<'REPORT_STORE_DIR' | 'DOWNLOAD_SIGNING_KEYS', string>>,
    /** Between the gateway and its database. */
    readonly wire: DatabaseWire,
  ) {}

  static async open(environment: Record<string, string> = {}, store?: DestinationDriver): Promise<GatewayWorld> {
    const test = await testDatabase({ migrations: [...ingest, ...consent, ...exports, ...integrations, ...analytics] });
    const root = await mkdtemp(join(tmpdir(), 'reports-'));
    const signingKey = generateNamedKey('first');
    const wire = await DatabaseWire.open(test.config.url);
    const own = {
      DATABASE_URL: wire.url,
      DOWNLOAD_SIGNING_KEYS: signingKey,
      DOWNLOAD_REQUESTS_PER_15_SECONDS: '100000',
      REPORT_STORE_DIR: root,
      ...environment,
    };
    const gateway = await bootService(definition, { ...stackEnvironment(), ...own });
    const files = store ?? (await openFileDestination({ root }));
    return new GatewayWorld(test, gateway, files, own, wire);
  }

  get root(): string {
    return this.environment.REPORT_STORE_DIR;
  }

  get signingKey(): string {
    return this.environment.DOWNLOAD_SIGNING_KEYS;
  }

  async close(): Promise<void> {
    await this.gateway.stop();
    this.wire.close();
    await this.store.close();
    await this.test.close();
    await rm(this.root, { recursive: true, force: true });
  }

  /** An organization with an analytics id of all frequencies and aggregations; its reports begin with 2026-01-01. */
  async analyticsId(organizationId: string, id: string): Promise<void> {
    const { database } = this.test;
    await database.query(
      'INSERT INTO organization (organization_id, name) VALUES ($1, $1) ON CONFLICT (organization_id) DO NOTHING',
      [organizationId],
    );
    const all = { frequencies: ['daily', 'weekly', 'monthly'], aggregations: ['interaction', 'granular'] } as const;
    const row = { organizationId, id, name: id, settingsIds: ['s1'], reportsFrom: '2026-01-01', ...all };
    await new AnalyticsIdStore().create(database, row, MOST);
  }

  /** @returns the key as it is sent */
  async key(organizationId: string, analyticsId: string, options: KeyOptions = {}): Promise<string> {
    const { id, secret, combined } = generateApiKey();
    const { frequencies, aggregations } = options;
    const row = { organizationId, id, analyticsId, name: 'test', frequencies, aggregations };
    await new AnalyticsKeyStore(this.test.database).create(row, hashSecret(secret), MOST);
    return combined;
  }

  /** A published report of these files. */
  async report(organizationId: string, analyticsId: string, prefix: string, files: readonly Buffer[]): Promise<void> {
    const shards: ReportShard[] = [];
    for (const [n, bytes] of files.entries()) {
      const key = reportFolder(organizationId, analyticsId) + shardFile(prefix, n);
      await this.store.putObject(key, bytes, { contentType: 'text/csv', signal: new AbortController().signal });
      shards.push({ bytes: bytes.length, rows: 1, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
    await this.row(organizationId, analyticsId, prefix, 'published');
    await this.test.database.query('UPDATE analytics_report SET shards = $2, published_at = now() WHERE prefix = $1', [
      prefix,
      JSON.stringify(shards),
    ]);
  }

  /** A report's row in some state. */
  async row(organizationId: string, analyticsId: string, prefix: string, status: string): Promise<void> {
    const [, aggregation, firstDay, lastDay] = /^(\w+)-(\d{4}-\d\d-\d\d)(?:-(\d{4}-\d\d-\d\d))?$/.exec(prefix) ?? [];
    await this.test.database.query(
      `INSERT INTO analytics_report (organization_id, analytics_id, prefix, aggregation, frequency, first_day, last_day,
         settings_ids, rows_per_shard, escape_formulas, planned_at, status, published_at,
         lease_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, '{s1}', 10, false, now(), $8,
         CASE WHEN $8 IN ('published', 'removed') THEN now() END, CASE WHEN $8 = 'running' THEN now() END)`,
      [
        organizationId,
        analyticsId,
        prefix,
        aggregation,
        lastDay ? 'weekly' : 'daily',
        firstDay,
        lastDay ?? firstDay,
        status,
      ],
    );
  }

  get(path: string, key?: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(key !== undefined && { 'X-API-Key': key }), ...init.headers };
    return fetch(`${this.gateway.url}${path}`, { ...init, headers });
  }

  /** Entries of the access log, oldest first, once they are so. */
  async logged(
    organizationId: string,
    ready: (entries: readonly DownloadAccess[]) => boolean,
  ): Promise<DownloadAccess[]> {
    return waitFor(
      async () => {
        const found = (await this.accesses(organizationId)).reverse();
        return ready(found) && found;
      },
      { describe: 'entries of the access log' },
    );
  }

  /** The links of a report, leading to this gateway wherever they point. */
  async links(path: string, key: string): Promise<string[]> {
    const answer = await this.get(path, key);
    const body = (await answer.json()) as { downloadUrls: string[] };
    return body.downloadUrls;
  }

  /** A link of the gateway's own, at the port where it really is. */
  here(link: string): string {
    const { pathname, search } = new URL(link);
    return `${this.gateway.url}${pathname}${search}`;
  }

  accesses(organizationId: string): Promise<DownloadAccess[]> {
    return new DownloadAccessStore().page(this.test.database, { organizationId, limit: 100 });
  }
}
