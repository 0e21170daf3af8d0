import { event, type Harness, startHarness } from './harness';

let harness: Harness;
let call: Harness['call'];

beforeAll(async () => {
  harness = await startHarness('acme', 'other');
  ({ call } = harness);
});
afterAll(() => harness.close());

describe('consents API', () => {
  it('answers a single event as it was stored, and the user shows it', async () => {
    const posted = await call('POST', '/v1/consents/events?organization_id=acme', event('e1', 'u1'));
    expect(posted).toMatchObject({
      status: 200,
      body: { id: 'e1', organization_id: 'acme', status: 'confirmed', source: 'api', version: 1, user: { id: 'u1' } },
    });
    await expect(call('GET', '/v1/consents/events/e1')).resolves.toEqual(posted);
    const user = await call('GET', '/v1/consents/users/u1?organization_id=acme');
    expect(user).toMatchObject({
      status: 200,
      body: {
        id: 'u1',
        version: 1,
        organization_user_id: 'u1@x.io',
        consents: { purposes: [{ id: 'cookies', enabled: true }] },
      },
    });
    await expect(call('GET', '/v1/consents/users/u1@x.io?$by_organization_user_id=true')).resolves.toEqual(user);
  });

  it('takes the organization from the body, the query, or the key', async () => {
    await expect(
      call('POST', '/v1/consents/events', { ...event('e2', 'u2'), organization_id: 'acme' }),
    ).resolves.toMatchObject({ status: 200 });
    await expect(call('POST', '/v1/consents/events', event('e3', 'u2'))).resolves.toMatchObject({
      status: 200,
      body: { organization_id: 'acme' },
    });
    await expect(
      call('POST', '/v1/consents/events?organization_id=acme', { ...event('e4', 'u2'), organization_id: 'other' }),
    ).resolves.toMatchObject({ status: 400 });
    await expect(call('POST', '/v1/consents/events?organization_id=other', event('e5', 'u2'))).resolves.toMatchObject({
      status: 403,
    });
  });

  it('answers a repeated id with the event that was stored first', async () => {
    await call('POST', '/v1/consents/events', event('twice', 'u3', true));
    const again = await call('POST', '/v1/consents/events', event('twice', 'u3', false));
    expect(again).toMatchObject({ status: 200, body: { consents: { purposes: [{ enabled: true }] } } });
    await expect(call('GET', '/v1/consents/users/u3')).resolves.toMatchObject({ body: { version: 1 } });
  });

  it("derives one user from the customer's own id", async () => {
    const post = (id: string) =>
      call('POST', '/v1/consents/events', { id, user: { organization_user_id: 'known@x.io' } });
    const [a, b] = [await post('d1'), await post('d2')];
    expect(a.body.user.id).toBe(b.body.user.id);
  });

  it.each(['a/b?c#d%e', '\u{1F6B2}'.repeat(512)])(
    'tells of a user by any id that the customer may give: %s',
    async (own) => {
      await call('POST', '/v1/consents/events', { user: { organization_user_id: own } });
      await expect(
        call('GET', `/v1/consents/users/${encodeURIComponent(own)}?$by_organization_user_id=true`),
      ).resolves.toMatchObject({ status: 200, body: { organization_user_id: own } });
    },
  );

  it('stores a pending event and does not apply it', async () => {
    await expect(
      call('POST', '/v1/consents/events', { ...event('p1', 'u4'), status: 'pending_approval' }),
    ).resolves.toMatchObject({ status: 200, body: { status: 'pending_approval' } });
    await expect(call('GET', '/v1/consents/users/u4')).resolves.toMatchObject({ status: 404 });
    await expect(call('GET', '/v1/consents/events?user_id=u4')).resolves.toMatchObject({ body: { data: [] } });
    await expect(
      call('GET', '/v1/consents/events?user_id=u4&status[$in]=confirmed&status[$in]=pending_approval'),
    ).resolves.toMatchObject({ body: { data: [{ id: 'p1' }] } });
  });

  it('tells every field that is wrong', async () => {
    const answer = await call('POST', '/v1/consents/events', {
      id: '../',
      status: 'x',
      consents: { purposes: [{ id: 'a', enable: 1 }] },
      proofs: [],
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 400, name: 'BadRequest' } });
    expect(answer.body.errors.map((e: { field: string }) => e.field).sort()).toEqual([
      'consents.purposes.0.enable',
      'id',
      'proofs',
      'status',
    ]);
  });

  it('gives a result per item of an array', async () => {
    const mixed = await call('POST', '/v1/consents/events', [event('b1', 'u5'), { id: 5 }, event('b2', 'u5', false)]);
    expect(mixed).toMatchObject({
      status: 207,
      body: {
        data: [
          { index: 0, status: 'accepted', id: 'b1' },
          { index: 1, status: 'refused', errors: [{ field: '1.id' }] },
          { index: 2, status: 'accepted' },
        ],
      },
    });
    await expect(
      call('POST', '/v1/consents/events', [
        event('b4', 'u5'),
        { ...event('b5', 'u5'), organization_id: 'other' },
        { ...event('b6', 'u5'), organization_id: 5 },
      ]),
    ).resolves.toMatchObject({
      status: 207,
      body: {
        data: [
          { status: 'accepted' },
          { status: 'refused', errors: [{ field: '1.organization_id', message: expect.stringContaining('acme') }] },
          { status: 'refused', errors: [{ field: '2.organization_id' }] },
        ],
      },
    });
    await expect(call('POST', '/v1/consents/events', [event('b3', 'u5')])).resolves.toMatchObject({ status: 200 });
    await expect(call('POST', '/v1/consents/events', [{ id: 5 }, 'x'])).resolves.toMatchObject({
      status: 400,
      body: { errors: [{ field: '0.id' }, { field: '1' }] },
    });
    await expect(call('POST', '/v1/consents/events', [])).resolves.toMatchObject({ status: 400 });
    await expect(
      call(
        'POST',
        '/v1/consents/events',
        Array.from({ length: 101 }, (_, i) => event(`x${i}`, 'u')),
      ),
    ).resolves.toMatchObject({ status: 400 });
  });

  it('answers on acknowledgement when asked to', async () => {
    const answer = await call(
      'POST',
      '/v1/consents/events',
      { user: { id: 'u6' } },
      { headers: { prefer: 'respond-async' } },
    );
    expect(answer).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
  });

  it('pages users with a cursor that ends in null', async () => {
    await call(
      'POST',
      '/v1/consents/events',
      Array.from({ length: 7 }, (_, i) => event(`page${i}`, `page-user-${i}`)),
    );
    await call('POST', '/v1/consents/events', event('page-last', 'page-user-7'));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { body: { data: { id: string }[]; cursor: string | null } } = await call(
        'GET',
        `/v1/consents/users?$limit=3${cursor && `&$cursor=${cursor}`}`,
      );
      seen.push(...page.body.data.map((user) => user.id));
      cursor = page.body.cursor;
    }
    expect(seen.filter((id) => id.startsWith('page-user-'))).toHaveLength(8);
    expect(new Set(seen).size).toBe(seen.length);
    await expect(call('GET', '/v1/consents/users?$cursor=nonsense')).resolves.toMatchObject({ status: 400 });
    await expect(call('GET', '/v1/consents/users?$limit=101')).resolves.toMatchObject({ status: 400 });
  });

  it("finds a pending event by the customer's own id of a user who has nothing else", async () => {
    const user = { organization_user_id: 'waiting@x.io' };
    await call('POST', '/v1/consents/events', { id: 'p2', status: 'pending_approval', user });
    const list = '/v1/consents/events?organization_user_id=waiting@x.io';
    await expect(call('GET', `${list}&status=pending_approval`)).resolves.toMatchObject({
      body: { data: [{ id: 'p2' }] },
    });
    await expect(call('GET', list)).resolves.toMatchObject({ body: { data: [] } });
  });
});
