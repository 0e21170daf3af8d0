import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ApiException } from './errors';
import { principalOf } from './principal';

/** How many requests an organization may make. */
export interface RateLimitOptions {
  /** Requests of one organization, all its keys together, within one window. */
  readonly points: number;
  readonly seconds: number;
  /** Requests that are neither counted nor limited. */
  readonly exempt: (request: FastifyRequest) => boolean;
}

/** Token of the options. */
export const RATE_LIMIT_OPTIONS = Symbol('RateLimitOptions');

/** contracts.md §1.2: 100 requests in 15 s per organization, except on the consents routes. */
export const CONTRACT_RATE_LIMIT: RateLimitOptions = { points: 100, seconds: 15, exempt: isUnlimitedConsentsRequest };

/** `/consents/*` has no limit, unless whole trees of users are asked for. */
function isUnlimitedConsentsRequest(request: FastifyRequest): boolean {
  const [path = '', query = ''] = request.url.split('?', 2);
  const consents = /^(?:\/v1)?\/consents\/(\w+)/.exec(path);
  if (consents === null) return false;
  return consents[1] !== 'users' || new URLSearchParams(query).get('$include_full_tree') !== 'true';
}

/**
 * Counts requests in this process's memory: with several replicas behind a load balancer, an organization gets the
 * limit once per replica. It protects the service, it is no quota to bill by.
 */
@Injectable()
export class RateLimiter {
  private readonly limiter: RateLimiterMemory;

  constructor(@Inject(RATE_LIMIT_OPTIONS) private readonly options: RateLimitOptions) {
    this.limiter = new RateLimiterMemory({ points: options.points, duration: options.seconds });
  }

  exempts(request: FastifyRequest): boolean {
    return this.options.exempt(request);
  }

  /**
   * Counts one request and tells the client where he stands (IETF draft-ietf-httpapi-ratelimit-headers-07).
   *
   * @throws 429 with `Retry-After` when it was one too many
   */
  async count(organizationId: string, reply: FastifyReply): Promise<void> {
    const { points, seconds } = this.options;
    const { state, allowed } = await this.consume(organizationId);
    const reset = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    reply.header('ratelimit', `limit=${points}, remaining=${state.remainingPoints}, reset=${reset}`);
    reply.header('ratelimit-policy', `${points};w=${seconds}`);
    if (allowed) return;
    throw new ApiException(
      429,
      `More than ${points} requests in ${seconds} seconds for this organization: wait ${reset} s and go on slower.`,
      { retryAfterSeconds: reset },
    );
  }

  private async consume(organizationId: string): Promise<{ state: RateLimiterRes; allowed: boolean }> {
    try {
      return { state: await this.limiter.consume(organizationId), allowed: true };
    } catch (error) {
      // The library rejects with the state itself when there are no points left.
      if (error instanceof RateLimiterRes) return { state: error, allowed: false };
      throw error;
    }
  }
}

/** Runs after the `AuthGuard`: public routes have no organization to count for. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const principal = principalOf(request);
    if (principal !== undefined && !this.limiter.exempts(request)) {
      await this.limiter.count(principal.organizationId, http.getResponse<FastifyReply>());
    }
    return true;
  }
}
