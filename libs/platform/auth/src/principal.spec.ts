import { ApiException } from './errors';
import { requireOrganization } from './principal';

const principal = { organizationId: 'acme', keyId: 'k1' };

describe('requireOrganization', () => {
  it.each([
    [{}, {}],
    [{ organization_id: 'acme' }, {}],
    [{}, { organization_id: 'acme' }],
    [{ organization_id: 'acme' }, { organization_id: 'acme' }],
    [undefined, undefined],
    [{}, [{ organization_id: 'other' }]],
  ])('takes query %j and body %j for the organization of the key', (query, body) => {
    expect(requireOrganization(principal, query, body)).toBe('acme');
  });

  it.each([
    [{ organization_id: 'other' }, {}, 403],
    [{}, { organization_id: 'other' }, 403],
    [{ organization_id: 'acme' }, { organization_id: 'other' }, 400],
    [{ organization_id: ['acme', 'acme'] }, {}, 400],
    [{}, { organization_id: null }, 400],
    [{}, { organization_id: '' }, 403],
  ])('refuses query %j and body %j with %i', (query, body, status) => {
    const refused = () => requireOrganization(principal, query, body);
    expect(refused).toThrow(ApiException);
    expect(refused).toThrow(expect.objectContaining({ status }));
  });
});
