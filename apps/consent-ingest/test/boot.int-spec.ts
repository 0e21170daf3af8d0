import { migrations as consentMigrations } from '@delivery/consent/store';
import { topicSpecs } from '@delivery/consent/schema';
import { migrations as ingestMigrations } from '@delivery/ingest/store';
import { migrations as integrationsMigrations } from '@delivery/integrations/store';
import { bootService } from '@delivery/platform/service';
import {
  stackEnvironment,
  testDatabase,
  testKafka,
  waitFor,
  type TestDatabase,
  type TestKafka,
} from '@delivery/platform/testing';
import { definition } from '../app.module';

describe('consent-ingest', () => {
  let database: TestDatabase;
  let kafka: TestKafka;

  beforeAll(async () => {
    database = await testDatabase({
      migrations: [...ingestMigrations, ...consentMigrations, ...integrationsMigrations],
    });
    kafka = await testKafka(topicSpecs(2));
  });
  afterAll(async () => {
    await kafka.close();
    await database.close();
  });

  it('boots, answers its probes, and stops', async () => {
    const env = {
      ...stackEnvironment(),
      DATABASE_URL: database.config.url,
      KAFKA_TOPIC_PREFIX: kafka.config.topicPrefix,
    };
    const service = await bootService(definition, env);
    await waitFor(async () => (await fetch(`${service.url}/health/ready`)).status === 200, { describe: 'readiness' });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('ingest_lag_messages');
    expect((await fetch(`${service.url}/v1/consents/users`)).status).toBe(401);
    await service.stop();
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });
});
