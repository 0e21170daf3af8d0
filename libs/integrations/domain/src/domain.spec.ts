import { findIntegrationType, isOrganizationId, isShortId, newShortId, parseAccountId, trustedAccounts } from './index';

describe('parseAccountId', () => {
  it('keeps an id of twelve digits as it is', () => {
    expect(parseAccountId('111122223333')).toEqual({ accountId: '111122223333', warning: undefined });
  });

  it.each([
    ['0000000000', '000000000000'],
    ['12345678901', '012345678901'],
  ])('pads %s with a warning that names the result', (given, accountId) => {
    expect(parseAccountId(given)).toEqual({ accountId, warning: expect.stringContaining(`'${accountId}'`) });
  });

  it.each(['', '123', '123456789', '1234567890123', '1111-2222-3333', ' 111122223333', '١١١١٢٢٢٢٣٣٣٣', '*'])(
    'refuses %j',
    (given) => {
      expect(parseAccountId(given)).toEqual({ fault: expect.stringContaining('12 digits') });
    },
  );
});

describe('newShortId', () => {
  it('gives ten lower-case letters and digits, different each time', () => {
    const ids = Array.from({ length: 1000 }, newShortId);
    expect(ids.every((id) => /^[0-9a-z]{10}$/.test(id) && isShortId(id))).toBe(true);
    expect(new Set(ids).size).toBe(1000);
  });

  it.each(['', '../x', 'a/b', 'A', 'a b', '\0', 'x'.repeat(33)])('%j is not an id', (value) => {
    expect(isShortId(value)).toBe(false);
  });
});

describe('isOrganizationId', () => {
  it.each(['acme', 'a', '0', 'a-b_c', 'x'.repeat(63)])('accepts %s', (id) => expect(isOrganizationId(id)).toBe(true));
  it.each(['', '-a', '_a', 'Acme', 'a.b', 'a/b', 'x'.repeat(64), 'ä', 'a\n'])('refuses %j', (id) =>
    expect(isOrganizationId(id)).toBe(false),
  );
});

describe('findIntegrationType', () => {
  it('finds the types that can be created', () => {
    expect(findIntegrationType('batch-exports-s3')).toMatchObject({ type: { destinationKind: 's3' } });
    expect(findIntegrationType('batch-exports-gcp')).toMatchObject({ type: { destinationKind: 'gcs' } });
  });

  it.each(['analytics-exports-s3', 'analytics-exports-gcp'])('says that %s comes later', (typeId) => {
    expect(findIntegrationType(typeId)).toEqual({ fault: expect.stringContaining('later version') });
  });

  it('names the possible ones for anything else', () => {
    expect(findIntegrationType('constructor')).toEqual({
      fault: 'must be one of batch-exports-s3, batch-exports-gcp',
    });
  });
});

describe('trustedAccounts', () => {
  it('names each account once, in a stable order', () => {
    expect(trustedAccounts(['222222222222', '111111111111', '222222222222'])).toEqual(['111111111111', '222222222222']);
  });
});
