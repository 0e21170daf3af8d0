import { consentEventsTopic } from '@delivery/consent/schema';
import { build, Customer, perfect, World } from '../../../tools/world';
import { Collector } from './collector';

const topic = consentEventsTopic;
const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const foreign = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = `00-${foreign.traceId}-${foreign.spanId}-01`;

jest.setTimeout(600_000);

const collector = new Collector();
let world: World;
let urls: { api: string; ingest: string };

beforeAll(async () => {
  build('consent-ingest', 'integrations-api', 'scheduler', 'exporter-s3');
  world = await World.open();
  const traced = {
    OTEL_EXPORTER_OTLP_ENDPOINT: await collector.open(),
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret',
    SCHEDULER_TICK_SECONDS: '1',
    EXPORT_POLL_SECONDS: '1',
    // The event is answered as recorded, however long that takes.
    INGEST_ANSWER_WAIT_MS: '30000',
  };
  const [ingest, api] = await Promise.all([
    world.start('consent-ingest', traced),
    world.start('integrations-api', traced),
    world.start('scheduler', traced),
    world.start('exporter-s3', traced),
  ]);
  urls = { api: api.url, ingest: ingest.url };
});
afterAll(async () => {
  await world?.close();
  collector.close();
});

it('follows one event from the request through the log, and its run from the plan to the files', async () => {
  const acme = await Customer.signIn(world, await world.organization('acme'), urls);
  const exported = await acme.exportToS3();
  await acme.post({ id: 'one', user: { organization_user_id: 'u1' }, consents: { tcfcs: 'CP1' } });

  const request = await collector.span('POST /v1/consents/events');
  expect(request).toMatchObject({ service: 'consent-ingest', kind: kinds.server, parentSpanId: undefined });
  expect(request.attributes).toMatchObject({ 'http.response.status_code': 200, 'http.request.method': 'POST' });
  const published = await collector.span(`publish ${topic}`, ({ traceId }) => traceId === request.traceId);
  expect(published).toMatchObject({ kind: kinds.producer, parentSpanId: request.spanId });
  const recorded = await collector.span(`record ${topic}`, ({ links }) =>
    links.some(({ traceId, spanId }) => traceId === request.traceId && spanId === published.spanId),
  );
  expect(recorded).toMatchObject({ service: 'consent-ingest', kind: kinds.consumer, parentSpanId: undefined });
  expect(recorded.attributes).toMatchObject({ 'delivery.recorded': 1, 'messaging.batch.message_count': 1 });

  await acme.deliver(exported);
  const asked = await collector.span('POST /v1/exports/execute');
  const planned = await collector.span('plan run');
  expect(planned).toMatchObject({ service: 'integrations-api', traceId: asked.traceId, parentSpanId: asked.spanId });
  const delivered = await collector.span('deliver run', (span) => span.traceId === planned.traceId);
  expect(delivered).toMatchObject({ service: 'exporter-s3', kind: kinds.consumer, parentSpanId: planned.spanId });
  expect(delivered.attributes).toMatchObject({
    'delivery.run': planned.attributes['delivery.run'],
    'delivery.outcome': 'completed',
    'delivery.events': 1,
    'delivery.rows': 1,
    'delivery.files': 1,
  });
  // The window in the run's span has the offset in the recorder's: that is how one leads to the other.
  const to: Record<string, Record<string, unknown>> = JSON.parse(String(delivered.attributes['delivery.window.to']));
  const partition = String(recorded.attributes['messaging.destination.partition.id']);
  expect(JSON.stringify(to[topic]?.[partition])).toContain(String(recorded.attributes['delivery.offset.next']));

  const run = String(delivered.attributes['delivery.run']);
  const file = await collector.span('write file', (span) => span.traceId === planned.traceId);
  expect(file).toMatchObject({ kind: kinds.client, parentSpanId: delivered.spanId, failed: false });
  expect(file.attributes['delivery.key']).toMatch(new RegExp(`^data/.*/${run}-000000\\.json\\.gz$`));
  const manifest = await collector.span('put object', (span) =>
    String(span.attributes['delivery.key']).endsWith('.json'),
  );
  expect(manifest).toMatchObject({ traceId: planned.traceId, parentSpanId: delivered.spanId });
  await world.locate();
  await expect(acme.verdict(exported)).resolves.toMatchObject({ ...perfect, delivered: 1 });
});

it('goes on with the traces of clients and of external producers, and makes none of probes', async () => {
  const value = Buffer.from(
    JSON.stringify({
      organization_id: 'acme',
      id: 'from-outside',
      user: { id: 'u2' },
      consents: { tcfcs: 'CP2' },
    }),
  );
  await world.kafka.connection.publisher().publish(topic, [
    { key: 'acme:u2', value, headers: { traceparent } },
    { key: 'acme:u2', value, headers: { traceparent: 'nonsense' } },
  ]);
  const recorded = await collector.span(`record ${topic}`, ({ links }) => links.some(isForeign));
  expect(recorded.links).toHaveLength(1);
  expect(recorded.traceId).not.toBe(foreign.traceId);

  await fetch(`${urls.api}/v1/sessions`, { method: 'POST', headers: { traceparent } });
  const request = await collector.span('POST /v1/sessions', ({ traceId }) => traceId === foreign.traceId);
  expect(request.parentSpanId).toBe(foreign.spanId);
  expect(collector.spans.filter(({ name }) => /health|metrics/.test(name))).toEqual([]);
  expect([...collector.keys]).toEqual(['a secret']);
});

function isForeign({ traceId, spanId }: { traceId: string; spanId: string }): boolean {
  return traceId === foreign.traceId && spanId === foreign.spanId;
}
