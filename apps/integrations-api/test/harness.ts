import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { migrations as exportsMigrations } from '@delivery/exports/store';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { ApiKeyStore, entities, migrations, OrganizationStore } from '@delivery/integrations/store';
import { generateApiKey, hashSecret, type IssuedApiKey } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { bootService, type RunningService } from '@delivery/platform/service';
import { ApiReference, stackEnvironment, testDatabase, type TestDatabase } from '@delivery/platform/testing';
import { definition } from '../app.module';

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed when the answer is JSON. */
  body: Record<string, unknown>;
  text: string;
}

export interface Client {
  readonly organizationId: string;
  readonly key: IssuedApiKey;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
}

/** The service on a database of its own, everything it writes to its log, and clients of two organizations. */
export interface Harness {
  readonly test: TestDatabase;
  readonly database: Database;
  readonly service: RunningService;
  readonly env: Record<string, string>;
  readonly logs: string[];
  /** Every answer that a client of an organization got. */
  readonly answers: string[];
  /** What every answer that a client got was held against. */
  readonly reference: ApiReference;
  /** A new organization with a key. */
  organization(id: string): Promise<Client>;
  close(): Promise<void>;
}

export async function startHarness(changes: Record<string, string> = {}): Promise<Harness> {
  const test = await testDatabase({
    migrations: [
      ...ingestMigrations,
      ...consentMigrations,
      ...exportsMigrations,
      ...migrations,
      ...analyticsMigrations,
    ],
  });
  const database = await new Database(test.config, { applicationName: 'test', entities }).open();
  const logs: string[] = [];
  const answers: string[] = [];
  const env = { ...stackEnvironment(), DATABASE_URL: test.config.url, LOG_LEVEL: 'debug', HTTP_PORT: '0', ...changes };
  const service = await bootService(definition, env, { logs: { write: (line) => void logs.push(line) } });
  const reference = await ApiReference.of(service.url);
  return {
    test,
    database,
    service,
    reference,
    env,
    logs,
    answers,
    organization: (id) => addOrganization({ database, service, reference, answers }, id),
    async close() {
      await service.stop();
      await database.close();
      await test.close();
    },
  };
}

async function addOrganization(
  { database, service, reference, answers }: Pick<Harness, 'database' | 'service' | 'reference' | 'answers'>,
  organizationId: string,
): Promise<Client> {
  await new OrganizationStore(database).create({ organizationId, name: organizationId, exportsGuests: false });
  const key = generateApiKey();
  const named = { organizationId, id: key.id, name: 'test', description: '' };
  await new ApiKeyStore(database).create(named, hashSecret(key.secret));
  return {
    organizationId,
    key,
    async send(method, path, body) {
      const answer = await send(service.url + path, method, body, { authorization: `Bearer ${key.combined}` });
      answers.push(answer.text);
      const { status, headers, text } = answer;
      reference.check(method, path, { status, contentType: headers.get('content-type'), text });
      return answer;
    },
  };
}

export async function send(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : {} };
}
