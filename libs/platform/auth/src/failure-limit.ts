import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiException } from './errors';

/** How often an address may send credentials that are not true. */
const FAILURES = 100;
const SECONDS = 15;

/** Counts in this process's memory, as the limit of organizations does. */
export class FailureLimit {
  private readonly limiter = new RateLimiterMemory({ points: FAILURES, duration: SECONDS });

  /**
   * Counts a failure, or what may become one.
   * @throws 429 with `Retry-After` when there were too many
   */
  async count(address: string): Promise<void> {
    try {
      await this.limiter.consume(networkOf(address));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw new ApiException(
        429,
        `More than ${FAILURES} requests with credentials that are not true came from your address in ${SECONDS} seconds: ` +
          `wait ${retryAfterSeconds} s, and check the key.`,
        { retryAfterSeconds },
      );
    }
  }

  /** It was none. */
  async forgive(address: string): Promise<void> {
    await this.limiter.reward(networkOf(address));
  }
}

/** Who has one address of IPv6 has all of its /64. Exported for its test. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return `${all
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
