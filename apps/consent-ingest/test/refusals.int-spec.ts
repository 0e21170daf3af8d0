import { bootService } from '@delivery/platform/service';
import { definition } from '../app.module';
import { event, type Harness, shown, startHarness } from './harness';

let harness: Harness;
let call: Harness['call'];

beforeAll(async () => {
  harness = await startHarness('acme');
  ({ call } = harness);
});
afterAll(() => harness.close());

describe('the consents API', () => {
  it('refuses what a list does not know, instead of answering with everything', async () => {
    const faults = async (query: string) => {
      const answer = await call('GET', `/v1/consents/${query}`);
      return [answer.status, answer.body.errors?.[0]?.field];
    };
    await expect(faults('users?organization_user=jane')).resolves.toEqual([400, 'organization_user']);
    await expect(faults('users?organization_user_id=')).resolves.toEqual([400, 'organization_user_id']);
    await expect(faults('users?organization_user_id=%00')).resolves.toEqual([400, 'organization_user_id']);
    await expect(faults('users?$skip=100')).resolves.toEqual([400, '$skip']);
    await expect(faults('users?$limit=1e1')).resolves.toEqual([400, '$limit']);
    await expect(faults('events?user_id=u1&statuss=confirmed')).resolves.toEqual([400, 'statuss']);
    await expect(faults('events?user_id=u1&status=')).resolves.toEqual([400, 'status']);
    await expect(faults('events?user_id=u1&status[$in]=removed')).resolves.toEqual([400, 'status']);
    await expect(faults('users?regulation=gdpr&$limit=1&$include_full_tree=true')).resolves.toEqual([200, undefined]);
    await expect(call('GET', '/v1/consents/users/%00')).resolves.toMatchObject({ status: 404 });
    await expect(call('GET', '/v1/consents/events/%00')).resolves.toMatchObject({ status: 404 });
  });

  it('takes no text that is not UTF-8: two ids would become one', async () => {
    const body = Buffer.from('{"id":"latin","user":{"organization_user_id":"Zo\xeb"}}', 'latin1');
    const answer = await call('POST', '/v1/consents/events', body);
    expect(answer.status).toBe(400);
    await expect(call('GET', '/v1/consents/events/latin')).resolves.toMatchObject({ status: 404 });
  });

  it('has a reference whose examples keep to its schemas, and whose requests work as they stand', async () => {
    expect(harness.reference.exampleFaults()).toEqual([]);
    const requests = harness.reference.requestExamples('POST', '/v1/consents/events');
    expect(requests).toHaveLength(2);
    for (const request of requests) {
      await expect(call('POST', '/v1/consents/events', request)).resolves.toMatchObject({ status: 200 });
    }
    const interactions = harness.reference.requestExamples('POST', '/v1/consents/interactions');
    expect(interactions).toHaveLength(3);
    for (const request of interactions) {
      const status = Array.isArray(request) ? 200 : 202;
      await expect(call('POST', '/v1/consents/interactions', request)).resolves.toMatchObject({ status });
    }
    await expect(call('GET', '/v1/consents/users?$limit=100')).resolves.toMatchObject({ status: 200 });
  });

  it('says when to try again while no broker answers, and still tells what is stored', async () => {
    const away = { KAFKA_BROKERS: '127.0.0.1:1', KAFKA_PUBLISH_TIMEOUT_MS: '1000', INGEST_ROLES: 'accept' };
    const cut = await bootService(definition, { ...harness.env, ...away });
    try {
      const headers = { authorization: harness.authorizationOf('acme'), 'content-type': 'application/json' };
      for (const [route, body] of [
        ['events', event('cut', 'u7')],
        ['events', [event('cut', 'u7')]],
        ['interactions', shown('cut')],
        ['interactions', [shown('cut')]],
      ] as const) {
        const answer = await fetch(`${cut.url}/v1/consents/${route}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        });
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(await answer.json()).toMatchObject({ code: 503, name: 'ServiceUnavailable', errors: {} });
      }
      expect((await fetch(`${cut.url}/v1/consents/events?user_id=u7`, { headers })).status).toBe(200);
    } finally {
      await cut.stop();
    }
  });

  it("speaks the contract's errors for what it does not know", async () => {
    await expect(call('GET', '/v1/nothing')).resolves.toEqual({
      status: 404,
      body: { code: 404, name: 'NotFound', message: 'Page not found', errors: {} },
    });
    await expect(call('GET', '/v1/consents/events')).resolves.toMatchObject({ status: 400 });
    await expect(call('POST', '/v1/consents/events?$generate_tcfcs=true', event('t', 'u'))).resolves.toMatchObject({
      status: 400,
    });
    await expect(
      call('GET', '/v1/consents/users', undefined, { headers: { authorization: 'Bearer nonsense' } }),
    ).resolves.toMatchObject({ status: 401, body: { name: 'Unauthorized' } });
  });
});
