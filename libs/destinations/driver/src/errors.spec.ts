import { inspect } from 'node:util';
import { DESTINATION_ERROR_CODES, DestinationError } from './errors';

describe('DestinationError', () => {
  it('tells from its code whether the same work may succeed later', () => {
    expect(new DestinationError('throttled', 'Slow down.').retryable).toBe(true);
    expect(new DestinationError('access_denied', 'No.').retryable).toBe(false);
    expect(DESTINATION_ERROR_CODES).toContain('kms_denied');
  });

  it('keeps of its cause only what cannot carry a request with credentials', () => {
    const cause = Object.assign(new TypeError('refused'), {
      config: { headers: { authorization: 'Bearer canary-token' } },
      $response: { headers: { 'x-amz-security-token': 'canary-token' } },
    });
    const error = new DestinationError('access_denied', 'No.', { cause });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'refused' });
  });
});
