import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ACCEPTS } from './accepts';
import { Authenticator } from './authenticator';
import { setChallenge } from './challenge';
import { type Credentials, type CredentialScheme, parseCredentials, type Query } from './credentials';
import { unauthorized } from './errors';
import { FailureLimit } from './failure-limit';
import { type Principal, setPrincipal, setRefused } from './principal';

const HOW: Readonly<Record<CredentialScheme, string>> = {
  'bearer-session': 'Authorization: Bearer <access token of POST /v1/sessions>',
  bearer: 'Authorization: Bearer <API key>',
  'x-api-key': 'x-api-key: <API key>',
  app: 'Authorization: App <API key>',
  basic: 'Authorization: Basic <base64 of key:secret>',
  raw: 'Authorization: <API key>',
};

/** Lets only requests through whose credentials are true, by a way the route accepts. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly failures: FailureLimit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const accepted = this.acceptedBy(context);
    if (accepted.length === 0) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest<{ Querystring: Query }>>();
    setChallenge(request, accepted);
    const credentials = parseCredentials(request.headers, request.query, accepted);
    if (typeof credentials === 'string') {
      const how = accepted.map((scheme) => HOW[scheme]).join(', or ');
      throw unauthorized(
        `${credentials === 'absent' ? 'Authentication is missing' : 'The authentication sent is not of a form accepted here'}: send ${how}.`,
      );
    }
    setPrincipal(request, await this.authenticate(request, credentials));
    return true;
  }

  /** @throws 401 with a sentence that does not tell which half was wrong; 429 when an address sends too many such */
  private async authenticate(request: FastifyRequest, credentials: Credentials): Promise<Principal> {
    // Counted before the database is asked: a flood of invented keys must not reach it.
    const isNew = this.authenticator.isNew(credentials);
    if (isNew) await this.failures.count(request.ip);
    const forgive = async () => (isNew ? this.failures.forgive(request.ip) : undefined);
    let outcome: Awaited<ReturnType<Authenticator['authenticate']>>;
    try {
      outcome = await this.authenticator.authenticate(credentials);
    } catch (error) {
      await forgive();
      throw error;
    }
    const { principal, refused } = outcome;
    if (principal === undefined) {
      if (refused !== undefined) setRefused(request, refused);
      if (!isNew) await this.failures.count(request.ip);
      throw unauthorized('The API key is not valid.');
    }
    await forgive();
    return principal;
  }

  /** A route that says nothing is a mistake that must not open it. */
  private acceptedBy(context: ExecutionContext): readonly CredentialScheme[] {
    const targets = [context.getHandler(), context.getClass()];
    const accepted = this.reflector.getAllAndOverride<readonly CredentialScheme[] | undefined>(ACCEPTS, targets);
    if (accepted !== undefined) return accepted;
    throw new Error(`${context.getClass().name}.${context.getHandler().name} has neither @Accepts nor @Public`);
  }
}
