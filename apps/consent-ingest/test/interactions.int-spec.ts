import { interactions, interactionsTopic, parseInteractionMessage } from '@delivery/analytics/schema';
import { BatchConsumer } from '@delivery/platform/kafka';
import { waitFor } from '@delivery/platform/testing';
import { type Harness, shown, startHarness } from './harness';

let harness: Harness;
let consumer: BatchConsumer;
/** What the topic holds, by id. */
const published = new Map<string, { key: string; value: unknown }>();

const post = (body: unknown, query = '') => harness.call('POST', `/v1/consents/interactions${query}`, body);
const inTopic = async (id: string) => {
  await waitFor(() => published.has(id), { describe: `interaction ${id} in the topic` });
  return published.get(id);
};
const decision = {
  ...shown('decision-1'),
  type: 'DECISION',
  action: 8,
  action_type: 'implicit',
  services: [{ template_id: 'svc', name: 'Some "service", as named', consent: 0 }],
};

beforeAll(async () => {
  harness = await startHarness('acme', 'other');
  consumer = new BatchConsumer(harness.kafka.connection, {
    groupId: 'test',
    topics: [interactionsTopic],
    onBatch: async ({ messages }) => {
      for (const { key, value } of messages) {
        const parsed = parseInteractionMessage(value);
        // Whatever is accepted over REST, the recorder of the topic takes.
        if (!parsed.ok) throw new Error(`not an interaction: ${String(value)}`);
        published.set(parsed.value.id ?? '', { key: String(key), value: parsed.value });
      }
    },
    onError: () => undefined,
  });
  await consumer.start();
});
afterAll(async () => {
  await consumer.stop();
  await harness.close();
});

describe('POST /v1/consents/interactions', () => {
  it.each([shown('shown-1'), decision, { ...shown('session-1'), type: 'SESSION', session_id: 's', browser: 'bot' }])(
    'answers an interaction with itself when it is in the topic: $type',
    async (interaction) => {
      const answer = await post(interaction);
      expect(answer).toEqual({ status: 202, body: { ...interaction, organization_id: 'acme' } });
      await expect(inTopic(interaction.id)).resolves.toEqual({
        key: interactions.key(answer.body),
        value: answer.body,
      });
    },
  );

  it('gives an id where there is none', async () => {
    const { id: _, ...withoutId } = shown('');
    const answer = await post(withoutId);
    expect(answer).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) } });
    await expect(inTopic(answer.body.id)).resolves.toMatchObject({ value: answer.body });
    const many = await post([withoutId, { ...withoutId, id: null }]);
    expect(new Set(many.body.data.map(({ id }: { id: string }) => id)).size).toBe(2);
    for (const { id } of many.body.data) await inTopic(id);
  });

  it('takes the organization from the body, the query, or the key', async () => {
    await expect(post({ ...shown('o1'), organization_id: 'acme' })).resolves.toMatchObject({ status: 202 });
    await expect(post(shown('o2'), '?organization_id=acme')).resolves.toMatchObject({ status: 202 });
    await expect(post({ ...shown('o3'), organization_id: 'other' })).resolves.toMatchObject({ status: 403 });
    await expect(post(shown('o4'), '?organization_id=other')).resolves.toMatchObject({ status: 403 });
    await expect(post([shown('o5')], '?organization_id=other')).resolves.toMatchObject({ status: 403 });
    await expect(post({ ...shown('o6'), organization_id: 'other' }, '?organization_id=acme')).resolves.toMatchObject({
      status: 400,
    });
    await expect(
      harness.call('POST', '/v1/consents/interactions', shown('o7'), { as: 'other' }),
    ).resolves.toMatchObject({ status: 202, body: { organization_id: 'other' } });
    await inTopic('o7');
    expect([...published.keys()].filter((id) => ['o3', 'o4', 'o5', 'o6'].includes(id))).toEqual([]);
  });

  it('tells every field that is wrong', async () => {
    const answer = await post({ id: '../', type: 'SHOWN', settings_id: 'a,b', country: 'France', source: 'api' });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 400, name: 'BadRequest', message: 'The interaction is not valid.' },
    });
    const fields = answer.body.errors.map((error: { field: string }) => error.field);
    expect(fields.sort()).toEqual(['country', 'id', 'settings_id', 'source', 'type']);
    await expect(post({ ...decision, services: [] })).resolves.toMatchObject({
      status: 400,
      body: { errors: [{ field: 'services' }] },
    });
    for (const body of ['text', 7, null]) await expect(post(body)).resolves.toMatchObject({ status: 400 });
    await expect(post({ ...shown('u'), device_id: '\ud800' })).resolves.toMatchObject({ status: 400 });
  });

  it('gives a result per item of an array', async () => {
    const mixed = await post([
      shown('b1'),
      { ...shown('b2'), action: 1 },
      { ...shown('b3'), organization_id: 'other' },
      'x',
      decision,
    ]);
    expect(mixed).toMatchObject({
      status: 207,
      body: {
        data: [
          { index: 0, status: 'accepted', id: 'b1' },
          { index: 1, status: 'refused', errors: [{ field: '1.action' }] },
          { index: 2, status: 'refused', errors: [{ field: '2.organization_id' }] },
          { index: 3, status: 'refused', errors: [{ field: '3' }] },
          { index: 4, status: 'accepted', id: 'decision-1' },
        ],
      },
    });
    await inTopic('b1');
    await expect(post([{ id: 5 }, 'x'])).resolves.toMatchObject({
      status: 400,
      body: { message: 'None of the interactions is valid.' },
    });
  });

  it('takes 1 to 1,000 at a time', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => shown(`many-${n}`, `device-${n}`));
    const full = await post(many(1_000));
    expect(full.status).toBe(200);
    expect(full.body.data).toHaveLength(1_000);
    expect(full.body.data[999]).toEqual({ index: 999, status: 'accepted', id: 'many-999' });
    await Promise.all(many(1_000).map(({ id }) => inTopic(id)));
    for (const [body, message] of [
      [[], 'The array is empty: send 1 to 1000 interactions.'],
      [many(1_001), 'The array has 1001 interactions: send at most 1000 at a time.'],
    ] as const) {
      await expect(post(body)).resolves.toMatchObject({ status: 400, body: { message } });
    }
  });

  it('is not rate limited, and asks for a key', async () => {
    const url = `${harness.service.url}/v1/consents/interactions`;
    const headers = { authorization: harness.authorizationOf('acme'), 'content-type': 'application/json' };
    const send = () => fetch(url, { method: 'POST', headers, body: JSON.stringify(shown('limit')) });
    const answers = await Promise.all(Array.from({ length: 120 }, send));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(answers[0]?.headers.get('ratelimit')).toBeNull();
    const without = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(url, without)).status).toBe(401);
  });
});
