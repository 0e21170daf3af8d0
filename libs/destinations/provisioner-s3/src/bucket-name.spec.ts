import fc from 'fast-check';
import { allocateBucketName, MAX_BUCKET_NAME, roleNameOf } from './bucket-name';

describe('allocateBucketName', () => {
  it('is the prefix, the organization and a random part', () => {
    let next = 0;
    expect(allocateBucketName('consent-exports', 'acme', () => next++)).toBe('consent-exports-acme-abcdefghij');
    expect(allocateBucketName('consent-exports', 'Acme_GmbH & Co.', () => 35)).toBe(
      'consent-exports-acme-gmbh-co-9999999999',
    );
    expect(allocateBucketName('consent-exports', '日本', () => 0)).toBe('consent-exports-aaaaaaaaaa');
  });

  it('gives, for any organization, a name that S3 and (with its role) IAM accept', () => {
    const prefix = fc.stringMatching(/^[a-z0-9]{1,10}(-[a-z0-9]{1,9}){0,2}$/).filter(({ length }) => length >= 3);
    fc.assert(
      fc.property(prefix, fc.string({ unit: 'binary', maxLength: 80 }), (beginning, organization) => {
        const name = allocateBucketName(beginning, organization);
        expect(name).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
        expect(name).not.toContain('--');
        expect(name.length).toBeLessThanOrEqual(MAX_BUCKET_NAME);
        expect(roleNameOf(name).length).toBeLessThanOrEqual(64);
        expect(name.startsWith(`${beginning}-`)).toBe(true);
      }),
    );
  });

  it('gives another name every time', () => {
    const names = new Set(Array.from({ length: 100 }, () => allocateBucketName('consent-exports', 'acme')));
    expect(names.size).toBe(100);
  });
});
