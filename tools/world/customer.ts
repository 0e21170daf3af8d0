import { waitFor } from '@delivery/platform/testing';
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Delivery, gcsSource, judge, type ObjectSource, readDelivery, s3Source, type Verdict } from '../oracle';
import type { Tenant, World } from './world';

const logsPerPage = 100;

export interface Answer {
  status: number;
  /** Seconds after which the server wants to be asked again. */
  retryAfter: number | undefined;
  body: Record<string, unknown>;
}

/** A run as `GET /v1/marketplace/exports/logs` tells of it. */
export interface RunLog {
  id: string;
  status: 'pending' | 'completed' | 'failed';
  state: string;
  result: string | null;
  result_message: string | null;
  attempt: number;
  trigger: string;
  due_at: string;
  metrics: { users: number };
  files: number;
  date: string;
  missing: string[];
  complete_until: string | null;
}

/** An export that a customer has created, and the bucket he reads it from. */
export interface CreatedExport {
  id: string;
  bucketName: string;
  bucket: ObjectSource;
}

/** What a verdict says when nothing is wrong. */
export const perfect = {
  ok: true,
  faults: [],
  lost: 0,
  doubled: 0,
  misrouted: 0,
  outOfWindow: 0,
  altered: 0,
  wrongUsers: 0,
  broken: 0,
};

/** An organization's own view of the platform: its REST APIs, with its key, and its buckets. */
export class Customer {
  private constructor(
    private readonly world: World,
    readonly id: string,
    private readonly token: string,
    private readonly urls: { api: string; ingest?: string },
  ) {}

  static async signIn(world: World, { id, key }: Tenant, urls: { api: string; ingest?: string }): Promise<Customer> {
    const answer = await fetch(`${urls.api}/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'api-key', key: key.id, secret: key.secret }),
    });
    if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
    const session = (await answer.json()) as { access_token: string };
    return new Customer(world, id, session.access_token, urls);
  }

  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const base = path.startsWith('/v1/consents') ? this.urls.ingest : this.urls.api;
    const answer = await request(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const retryAfter = answer.headers.get('retry-after');
    if (answer.status === 429) {
      await delay(1000 * Number(retryAfter ?? 1));
      return this.send(method, path, body);
    }
    return {
      status: answer.status,
      retryAfter: retryAfter === null ? undefined : Number(retryAfter),
      body: text === '' ? {} : JSON.parse(text),
    };
  }

  /** Records an event over REST, and notes it in the ledger. */
  async post(event: object): Promise<Answer> {
    return this.noted([event], ([sent]) => this.send('POST', '/v1/consents/events', sent));
  }

  /** Records events over REST in one request, and notes them in the ledger. */
  async postAll(events: readonly object[]): Promise<Answer> {
    return this.noted(events, (sent) => this.send('POST', '/v1/consents/events', sent));
  }

  private async noted(events: readonly object[], send: (sent: object[]) => Promise<Answer>): Promise<Answer> {
    const sent = events.map((event) => ({ organization_id: this.id, ...event }));
    const noted = sent.map((event) => this.world.ledger.event(event, 'rest'));
    const answer = await send(sent);
    for (const produced of noted) produced.acknowledged = answer.status >= 200 && answer.status < 300;
    return answer;
  }

  async exportToS3(): Promise<CreatedExport> {
    const { id, bucketName } = await this.create({
      type_id: 'batch-exports-s3',
      authentication: { account_id: '0000000000' },
      properties: { frequency: 1 },
    });
    return { id, bucketName, bucket: this.s3(bucketName) };
  }

  async exportToGcs(bucketName: string): Promise<CreatedExport> {
    await this.makeGcsBucket(bucketName);
    const { id } = await this.create({
      type_id: 'batch-exports-gcp',
      authentication: { project_id: 'didomi-cmp', json_key: serviceAccountKey() },
      properties: { frequency: 1, bucket_name: bucketName },
    });
    return { id, bucketName, bucket: this.gcs(bucketName) };
  }

  async makeGcsBucket(name: string): Promise<void> {
    const body = JSON.stringify({ name });
    await fetch(`${this.world.environment['GCS_ENDPOINT']}/storage/v1/b?project=didomi-cmp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
  }

  async removeGcsBucket(name: string): Promise<void> {
    await fetch(`${this.world.environment['GCS_ENDPOINT']}/storage/v1/b/${name}`, { method: 'DELETE' });
  }

  gcs(bucketName: string): ObjectSource {
    return gcsSource(this.world.environment['GCS_ENDPOINT'] ?? '', bucketName);
  }

  s3(bucketName: string): ObjectSource {
    const { S3_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = this.world.environment;
    const access = {
      endpoint: S3_ENDPOINT ?? '',
      region: AWS_REGION ?? '',
      accessKeyId: AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: AWS_SECRET_ACCESS_KEY ?? '',
    };
    return s3Source(access, bucketName);
  }

  /** Plans a run now. @returns its id */
  async execute(exported: CreatedExport): Promise<string> {
    const answer = await this.send('POST', '/v1/exports/execute', { organization_id: this.id, export_id: exported.id });
    if (answer.status !== 202) throw new Error(`execute answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return String(answer.body['id']);
  }

  /** The newest runs of an export, newest first. */
  async logs(exported: CreatedExport, page = ''): Promise<RunLog[]> {
    const { body } = await this.send(
      'GET',
      `/v1/marketplace/exports/logs?organization_id=${this.id}&export_id=${exported.id}${page}`,
    );
    return body['data'] as RunLog[];
  }

  /** All runs of an export, newest first. */
  async allLogs(exported: CreatedExport): Promise<RunLog[]> {
    const all: RunLog[] = [];
    for (;;) {
      const page = await this.logs(exported, `&$limit=${logsPerPage}&$skip=${all.length}`);
      all.push(...page);
      if (page.length < logsPerPage) return all;
    }
  }

  /** Waits until no run of an export is under way or waiting. */
  async settled(exported: CreatedExport, timeoutMs = 180_000): Promise<void> {
    const isSettled = async () => {
      await delay(300); // an organization may ask a hundred times in fifteen seconds
      return (await this.logs(exported, '&status=pending')).length === 0;
    };
    await waitFor(isSettled, { describe: `all runs of ${exported.id} to end`, timeoutMs });
  }

  /** Waits until a run has ended, one way or the other. */
  async ended(exported: CreatedExport, run: string, timeoutMs = 120_000): Promise<RunLog> {
    return this.runThat(exported, run, ({ status }) => status !== 'pending', 'to end', timeoutMs);
  }

  async runThat(
    exported: CreatedExport,
    run: string,
    is: (log: RunLog) => boolean,
    describe: string,
    timeoutMs = 120_000,
  ): Promise<RunLog> {
    const find = async () => {
      await delay(250); // an organization may ask a hundred times in fifteen seconds
      return (await this.logs(exported)).find((log) => log.id === run && is(log));
    };
    return waitFor(find, { describe: `run ${run} of ${this.id} ${describe}`, timeoutMs });
  }

  /** Waits for the recorder, runs the export now, and waits until it is delivered. */
  async deliver(exported: CreatedExport): Promise<RunLog> {
    await this.world.recorded();
    const log = await this.ended(exported, await this.execute(exported));
    if (log.status === 'failed') throw new Error(`not delivered: ${log.result}`);
    return log;
  }

  delivery(exported: CreatedExport): Promise<Delivery> {
    return readDelivery(exported.bucket, exported.id);
  }

  /** What the oracle says of all that was delivered so far; the ledger must know its places. */
  async verdict(exported: CreatedExport, options: { includeGuests?: boolean } = {}): Promise<Verdict> {
    const delivery = await this.delivery(exported);
    return judge(this.world.ledger, { organizationId: this.id, exportId: exported.id, delivery, ...options });
  }

  private async create(request: object): Promise<{ id: string; bucketName: string }> {
    const answer = await this.send('POST', '/v1/marketplace/integrations', {
      organization_id: this.id,
      mappings: [],
      ...request,
    });
    if (answer.status !== 201) throw new Error(`creating answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    const { id, properties } = answer.body as { id: string; properties: { bucket_name: string } };
    return { id, bucketName: properties.bucket_name };
  }
}

/** A key as Google makes them, for a project that exists nowhere. */
export function serviceAccountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'didomi-cmp',
    private_key_id: 'e2e',
    private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    client_email: 'exports@didomi-cmp.iam.gserviceaccount.com',
    client_id: '1',
  });
}

/** Asks again, once, what changes nothing: a service closes a connection that was idle in the moment it is used again. */
async function request(url: string, init: RequestInit): Promise<Response> {
  const send = () => fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  try {
    return await send();
  } catch (error) {
    if (init.method !== 'GET') throw error;
    return send();
  }
}
