import { KafkaConnection } from '@delivery/platform/kafka';
import { event, type Harness, shown, startHarness } from './harness';

/** Every event that a request brings ends in exactly one outcome; what is refused unread is counted as a request. */
describe('what is counted of requests', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness('acme');
  });
  afterAll(() => harness.close());

  const metrics = async () => (await fetch(`${harness.service.url}/metrics`)).text();

  async function series(name: string): Promise<Map<string, number>> {
    const lines = (await metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(name.length, end), Number(line.slice(end + 1))] as const;
      }),
    );
  }

  /** What `work` added, without what stayed the same. */
  async function added(name: string, work: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await series(name);
    await work();
    const after = await series(name);
    const differences = [...after].map(([labels, count]) => [labels, count - (before.get(labels) ?? 0)] as const);
    return Object.fromEntries(differences.filter(([, count]) => count !== 0));
  }

  const post = (body: unknown, query = '') => harness.call('POST', `/v1/consents/events${query}`, body);
  const events = (work: () => Promise<unknown>) => added('ingest_events_received_total', work);
  const many = (count: number) => Array.from({ length: count }, (_, n) => event(`m${n}`, 'u'));

  it.each([
    ['one that is accepted', () => post(event('a', 'u')), { '{outcome="accepted",reason=""}': 1 }],
    [
      'one that is refused, by its first reason',
      () => post({ user: { id: 'u' }, consents: {}, status: 'x' }),
      { '{outcome="refused",reason="not_allowed"}': 1 },
    ],
    ['one that is no event', () => post('text'), { '{outcome="refused",reason="wrong_type"}': 1 }],
    [
      "one of another organization's",
      () => post({ ...event('a', 'u'), organization_id: 'other' }),
      { '{outcome="refused",reason="request"}': 1 },
    ],
    [
      'one with a wish that is not supported',
      () => post(event('a', 'u'), '?$generate_tcfcs=true'),
      { '{outcome="refused",reason="request"}': 1 },
    ],
    [
      'an array in parts',
      () => post([...many(3), { nothing: 1 }, { ...event('x', 'u'), organization_id: 'other' }]),
      {
        '{outcome="accepted",reason=""}': 3,
        '{outcome="refused",reason="unknown_field"}': 1,
        '{outcome="refused",reason="not_allowed"}': 1,
      },
    ],
    ['an array without a good one', () => post([7, 8]), { '{outcome="refused",reason="wrong_type"}': 2 }],
    ['an array that is too long', () => post(many(101)), { '{outcome="refused",reason="request"}': 101 }],
    ['an empty array', () => post([]), {}],
    ['what is not JSON', () => post(Buffer.from('{')), {}],
  ])('%s', async (_, work, wanted) => {
    await expect(events(work)).resolves.toEqual(wanted);
  });

  it('counts interactions apart from events, each once', async () => {
    const send = (body: unknown) => harness.call('POST', '/v1/consents/interactions', body);
    const interactions = (work: () => Promise<unknown>) => added('ingest_interactions_received_total', work);
    const counted = { '{outcome="accepted",reason=""}': 1 };
    await expect(events(() => send(shown('a')))).resolves.toEqual({});
    await expect(interactions(() => post(event('a', 'u')))).resolves.toEqual({});
    await expect(interactions(() => send(shown('b')))).resolves.toEqual(counted);
    await expect(interactions(() => send([shown('c'), {}, 'x', { ...shown('d'), action: 1 }]))).resolves.toEqual({
      ...counted,
      '{outcome="refused",reason="missing"}': 1,
      '{outcome="refused",reason="wrong_type"}': 1,
      '{outcome="refused",reason="not_allowed"}': 1,
    });
    await expect(interactions(() => send([]))).resolves.toEqual({});
    await expect(interactions(() => send(Array.from({ length: 1_001 }, () => 0)))).resolves.toEqual({
      '{outcome="refused",reason="request"}': 1_001,
    });
  });

  it('counts each request once, also one that is refused before any route', async () => {
    const { url } = harness.service;
    const requests = (work: () => Promise<unknown>) => added('http_request_duration_seconds_count', work);
    const labels = (method: string, status: number) =>
      `{method="${method}",route="/v1/consents/events",status="${status}"}`;
    await expect(requests(() => post(Buffer.from('{')))).resolves.toMatchObject({ [labels('POST', 400)]: 1 });
    await expect(requests(() => fetch(`${url}/v1/consents/events`))).resolves.toMatchObject({
      [labels('GET', 401)]: 1,
    });
    const unparsable = () => fetch(`${url}/v1/consents/users/%ff`);
    await expect(added('http_requests_malformed_total', unparsable)).resolves.toEqual({ '{status="400"}': 1 });
    const twice = Object.keys(await requests(unparsable)).filter((key) => !key.includes('route="/metrics"'));
    expect(twice).toEqual([]);
  });

  it('counts as failed what Kafka did not take', async () => {
    await harness.service.app.get(KafkaConnection).publisher().close();
    const wanted = { '{outcome="failed",reason="closed"}': 2, '{outcome="refused",reason="wrong_type"}': 1 };
    await expect(events(() => post([...many(2), 7]))).resolves.toEqual(wanted);
    await expect(
      added('ingest_interactions_received_total', () =>
        harness.call('POST', '/v1/consents/interactions', [shown('a'), shown('b'), 7]),
      ),
    ).resolves.toEqual(wanted);
  });
});
