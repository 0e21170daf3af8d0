import { generateApiKey, hashSecret, secretMatches } from './api-keys';
import { CachedApiKeys } from './cached-api-keys';
import { isKeyId, parseCredentials } from './credentials';

describe('API keys', () => {
  it('are made of an id and 256 random bits, and fit every way of passing them', () => {
    const [one, two] = [generateApiKey(), generateApiKey()];
    expect(isKeyId(one.id)).toBe(true);
    expect(Buffer.from(one.secret, 'base64url')).toHaveLength(32);
    expect(one.secret).not.toBe(two.secret);
    expect(parseCredentials({ 'x-api-key': one.combined }, {}, ['x-api-key'])).toEqual({
      kind: 'api-key',
      id: one.id,
      secret: one.secret,
    });
  });

  it('are stored as salted hashes', () => {
    const { secret } = generateApiKey();
    const [one, two] = [hashSecret(secret), hashSecret(secret)];
    expect(Buffer.from(one.secretHash).equals(two.secretHash)).toBe(false);
    expect(secretMatches(secret, one)).toBe(true);
    expect(secretMatches(secret, { ...one, secretSalt: two.secretSalt })).toBe(false);
    expect(secretMatches(`${secret}x`, one)).toBe(false);
    expect(secretMatches('', one)).toBe(false);
    expect(secretMatches(secret, undefined)).toBe(false);
    expect(secretMatches(secret, { ...one, secretHash: Buffer.alloc(0) })).toBe(false);
  });
});

describe('CachedApiKeys', () => {
  const key = { id: 'k1', organizationId: 'acme', enabled: true, ...hashSecret('s') };

  function counting(answer: (id: string) => Promise<typeof key | undefined>) {
    const asked: string[] = [];
    let at = 0;
    const find = (id: string) => {
      asked.push(id);
      return answer(id);
    };
    const cache = new CachedApiKeys({ find }, { lifetimeMs: 1000, size: 3, now: () => at });
    return { cache, asked, pass: (ms: number) => (at += ms) };
  }

  it('asks once per lifetime, also for keys that do not exist and for requests at one time', async () => {
    const { cache, asked, pass } = counting(async (id) => (id === 'k1' ? key : undefined));
    expect(await Promise.all([cache.find('k1'), cache.find('k1'), cache.find('no')])).toEqual([key, key, undefined]);
    pass(999);
    await Promise.all([cache.find('k1'), cache.find('no')]);
    expect(asked).toEqual(['k1', 'no']);
    pass(1);
    await cache.find('k1');
    expect(asked).toEqual(['k1', 'no', 'k1']);
  });

  it('does not remember a failed query', async () => {
    let fail = true;
    const { cache, asked } = counting(async () => {
      if (fail) throw new Error('database away');
      return key;
    });
    await expect(cache.find('k1')).rejects.toThrow('database away');
    fail = false;
    expect(await cache.find('k1')).toBe(key);
    expect(asked).toHaveLength(2);
  });

  it('keeps what was found however many others are asked for, and tells what would be new to it', async () => {
    const { cache, asked, pass } = counting(async (id) => (id === 'k1' ? key : undefined));
    expect(cache.isNew('k1')).toBe(true);
    const finding = cache.find('k1');
    expect(cache.isNew('k1')).toBe(false);
    await finding;
    for (const id of ['a', 'b', 'c', 'd', 'e']) await cache.find(id);
    await cache.find('k1');
    expect(asked).toEqual(['k1', 'a', 'b', 'c', 'd', 'e']);
    pass(1000);
    expect([cache.isNew('k1'), cache.isNew('e')]).toEqual([false, true]);
  });

  it('forgets the oldest answer when it is full', async () => {
    const { cache, asked } = counting(async () => undefined);
    for (const id of ['a', 'b', 'c', 'd', 'b', 'a']) await cache.find(id);
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'a']);
  });
});
