import { within } from './within';

const never = new Promise<string>(() => undefined);
const idle = new AbortController().signal;

describe('within', () => {
  it('gives what the work gives, well or not', async () => {
    await expect(within(Promise.resolve('token'), { ms: 1000, signal: idle })).resolves.toBe('token');
    await expect(within(Promise.reject(new Error('no')), { ms: 1000, signal: idle })).rejects.toThrow('no');
  });

  it('ends the waiting for a sign-in that never answers', async () => {
    await expect(within(never, { ms: 1, signal: idle })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('ends the waiting when the caller gives up', async () => {
    const controller = new AbortController();
    const waiting = within(never, { ms: 60_000, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
