import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { badRequest, forbidden, unauthorized } from './errors';
import type { Session } from './session-tokens';

/** Who asks. */
export interface Principal {
  readonly organizationId: string;
  readonly keyId: string;
  /** Set when a session token was used. */
  readonly session?: Session;
}

const principals = new WeakMap<object, Principal>();

/** Called by the guard once it knows. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  principals.set(request, principal);
}

/** @returns undefined on routes that are public */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return principals.get(request);
}

const refused = new WeakMap<object, Principal>();

/** Called by the guard when a key is somebody's, but its secret is not true, or it is disabled. */
export function setRefused(request: FastifyRequest, whose: Principal): void {
  refused.set(request, whose);
}

/** Whose key was sent with a request that was refused for it. */
export function refusedOf(request: FastifyRequest): Principal | undefined {
  return refused.get(request);
}

/** Hands a controller's method the {@link Principal}. @throws 401 on a route that is public */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw unauthorized('This needs authentication.');
  return principal;
});

/**
 * The organization a request is about. Clients may name it in the query or in the body (contracts.md D-1); it is
 * always the one of their key.
 *
 * @returns the organization's id, also when the request names none
 * @throws 400 when it is no text, or differs between query and body; 403 when it is another organization
 */
export function requireOrganization(principal: Principal, query: unknown, body?: unknown): string {
  const inQuery = organizationIn(query, 'query');
  const inBody = organizationIn(body, 'body');
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody) {
    throw badRequest('organization_id differs between query and body: give it once, or the same twice.', [
      { field: 'organization_id', message: 'differs between query and body' },
    ]);
  }
  const named = inQuery ?? inBody ?? principal.organizationId;
  if (named !== principal.organizationId) {
    throw forbidden('This API key belongs to another organization than the organization_id of the request.');
  }
  return named;
}

function organizationIn(container: unknown, place: string): string | undefined {
  if (typeof container !== 'object' || container === null || Array.isArray(container)) return undefined;
  const value: unknown = Reflect.get(container, 'organization_id');
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`organization_id in the ${place} must be one text.`, [
    { field: 'organization_id', message: 'must be one text' },
  ]);
}
