import {
  datasetOf,
  dataToKeep,
  findIntegrationType,
  INTEGRATION_TYPES,
  isOrganizationId,
  isShortId,
  newShortId,
  parseAccountId,
  trustedAccounts,
  typeDelivering,
} from './index';

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
    expect(findIntegrationType('analytics-exports-s3')).toMatchObject({ type: { destinationKind: 's3' } });
    expect(findIntegrationType('analytics-exports-gcp')).toMatchObject({ type: { destinationKind: 'gcs' } });
  });

  it('names the possible ones for anything else', () => {
    expect(findIntegrationType('constructor')).toEqual({
      fault: 'must be one of batch-exports-s3, batch-exports-gcp, analytics-exports-s3, analytics-exports-gcp',
    });
  });
});

describe('what is delivered', () => {
  const [batch, , , analytics] = INTEGRATION_TYPES;

  it('is what the properties say, and else the first that the type has', () => {
    expect(datasetOf(batch, { data: ['events'] })).toBe('events');
    expect(datasetOf(batch, {})).toBe('users');
    expect(datasetOf(analytics, {})).toBe('cmp_hourly_metrics');
  });

  it('is written down where there was a choice, or where it was said', () => {
    expect(dataToKeep(batch, undefined)).toEqual(['users']);
    expect(dataToKeep(batch, ['events'])).toEqual(['events']);
    expect(dataToKeep(analytics, undefined)).toBeUndefined();
    expect(dataToKeep(analytics, ['cmp_hourly_metrics'])).toEqual(['cmp_hourly_metrics']);
  });

  it('tells the type that delivers the other, to the same kind of destination', () => {
    expect(typeDelivering('users', analytics)?.typeId).toBe('batch-exports-gcp');
    expect(typeDelivering('cmp_hourly_metrics', batch)?.typeId).toBe('analytics-exports-s3');
  });
});

describe('trustedAccounts', () => {
  it('names each account once, in a stable order', () => {
    expect(trustedAccounts(['222222222222', '111111111111', '222222222222'])).toEqual(['111111111111', '222222222222']);
  });
});
