import { interactions } from './topics';

describe('the key of an interaction', () => {
  const shown = { organization_id: 'acme', type: 'CMP_SHOWN', settings_id: 's' } as const;

  it('keeps a device together, and spreads what is of no known device', () => {
    expect(interactions.key({ ...shown, id: 'i', device_id: 'd', controller_id: 'c' })).toBe('acme:d');
    expect(interactions.key({ ...shown, id: 'i', device_id: null, controller_id: 'c' })).toBe('acme:c');
    expect(interactions.key({ ...shown, id: 'i', session_id: 'e' })).toBe('acme:e');
    expect(interactions.key({ ...shown, id: 'i' })).toBe('acme:i');
    expect(interactions.key(shown)).toBe('acme:');
  });
});
