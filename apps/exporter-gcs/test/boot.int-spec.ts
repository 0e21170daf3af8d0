import { migrations as analyticsMigrations } from '@delivery/analytics/store';
import { topicSpecs } from '@delivery/exports/schema';
import { migrations as consentMigrations } from '@delivery/consent/store';
import { migrations as exportMigrations } from '@delivery/exports/store';
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

describe('exporter-gcs', () => {
  let database: TestDatabase;
  let kafka: TestKafka;

  beforeAll(async () => {
    database = await testDatabase({
      migrations: [
        ...ingestMigrations,
        ...consentMigrations,
        ...exportMigrations,
        ...integrationsMigrations,
        ...analyticsMigrations,
      ],
    });
    kafka = await testKafka(topicSpecs(1));
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
    expect(await (await fetch(`${service.url}/metrics`)).text()).toContain('export_runs_executing 0');
    await service.stop();
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });
});
