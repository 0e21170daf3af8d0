import { topicSpecs as analyticsTopics } from '@delivery/analytics/schema';
import { topicSpecs as consentTopics } from '@delivery/consent/schema';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import {
  ApiKeyStore,
  entities,
  migrations as integrationsMigrations,
  OrganizationStore,
} from '@delivery/integrations/store';
import { generateApiKey, hashSecret } from '@delivery/platform/auth';
import { Database } from '@delivery/platform/postgres';
import { bootService } from '@delivery/platform/service';
import { ApiReference, stackEnvironment, testDatabase, testKafka, type TestDatabase } from '@delivery/platform/testing';
import { definition } from '../app.module';

/** The service on a database and topics of its own, and what clients of some organizations ask of it. */
export type Harness = Awaited<ReturnType<typeof startHarness>>;

/** @param organizations each with a session; requests are the first one's unless they say whose */
export async function startHarness(...organizations: readonly string[]) {
  const test = await testDatabase({
    migrations: [...ingestMigrations, ...consentMigrations, ...integrationsMigrations],
  });
  const kafka = await testKafka([...consentTopics(2), ...analyticsTopics(2)]);
  const env = { ...stackEnvironment(), DATABASE_URL: test.config.url, KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix };
  const service = await bootService(definition, env);
  const reference = await ApiReference.of(service.url);
  const tokens = new Map<string, string>();
  for (const organization of organizations) tokens.set(organization, await signIn(test, service.url, organization));
  const authorizationOf = (organization = organizations[0] ?? '') => `Bearer ${tokens.get(organization)}`;

  async function call(
    method: string,
    path: string,
    body?: unknown,
    { as, headers }: { as?: string; headers?: Record<string, string> } = {},
  ) {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${service.url}${path}`, {
      method,
      headers: { authorization: authorizationOf(as), ...json, ...headers },
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    const [status, text] = [answer.status, await answer.text()];
    // Whatever a test is about, its answer is one that the reference describes.
    reference.check(method, path, { status, contentType: answer.headers.get('content-type'), text });
    return { status, body: JSON.parse(text) };
  }

  async function close(): Promise<void> {
    await service.stop();
    await kafka.close();
    await test.close();
  }

  return { service, env, kafka, reference, authorizationOf, call, close };
}

async function signIn(test: TestDatabase, url: string, organizationId: string): Promise<string> {
  const database = await new Database(test.config, { applicationName: 'test', entities }).open();
  await new OrganizationStore(database).create({ organizationId, name: organizationId, exportsGuests: false });
  const issued = generateApiKey();
  const named = { organizationId, id: issued.id, name: 'test', description: '' };
  await new ApiKeyStore(database).create(named, hashSecret(issued.secret));
  await database.close();
  const answer = await fetch(`${url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'api-key', key: issued.id, secret: issued.secret }),
  });
  const session = (await answer.json()) as { access_token: string };
  return session.access_token;
}

/** A banner that was shown. */
export function shown(id: string, device = 'device-1') {
  return { id, type: 'CMP_SHOWN', settings_id: 'set-1', device_id: device };
}

/** An event with one choice of a user who is known to the customer, too. */
export function event(id: string, user: string, enabled = true) {
  return {
    id,
    user: { id: user, organization_user_id: `${user}@x.io` },
    consents: { purposes: [{ id: 'cookies', enabled }] },
  };
}
