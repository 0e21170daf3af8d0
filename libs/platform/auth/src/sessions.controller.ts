import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { Accepts, Public } from './accepts';
import { ApiErrors } from './api-errors';
import { Authenticator } from './authenticator';
import { isKeyId } from './credentials';
import { badRequest, notFound } from './errors';
import { CurrentPrincipal, type Principal } from './principal';
import { RateLimiter } from './rate-limit';
import { SessionTokens } from './session-tokens';

/** Body of `POST /v1/sessions` (contracts.md §1.1). */
export class SessionRequest {
  @ApiProperty({ enum: ['api-key', 'email'], example: 'api-key', description: 'Only `api-key` is offered.' })
  @IsIn(['api-key', 'email'])
  type: string;

  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11', description: 'The id of the API key.' })
  @IsString()
  @MaxLength(256)
  key: string;

  @ApiProperty({ example: '<secret of the API key>' })
  @IsString()
  @MaxLength(256)
  secret: string;
}

/** Answer of `POST /v1/sessions`. */
export class SessionResponse {
  @ApiProperty({ example: 'api-key' })
  type: string;

  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  key: string;

  @ApiProperty({ description: 'Sent as `Authorization: Bearer <access_token>`; valid for an hour unless configured.' })
  access_token: string;
}

/** Answer of `GET /v1/sessions/{id}`. */
export class SessionDetails {
  @ApiProperty({ description: 'The `jti` claim of the access token.' })
  id: string;

  @ApiProperty({ example: 'api-key' })
  type: string;

  @ApiProperty({ example: '0199e1c8-9a53-7f21-b0b5-2f5a5c1d7a11' })
  key: string;

  @ApiProperty({ example: 'acme' })
  organization_id: string;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  @ApiProperty({ format: 'date-time' })
  expires_at: string;
}

/** Every REST app has these routes, so that a client with one base URL per app can log in at any. */
@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly tokens: SessionTokens,
    private readonly limiter: RateLimiter,
  ) {}

  @Post()
  @HttpCode(200)
  @Public()
  @ApiOperation({
    summary: 'Get an access token for an API key',
    description: 'A wrong key or secret, or a key that is disabled, is answered 400.',
  })
  @ApiResponse({ status: 200, type: SessionResponse })
  @ApiErrors(400, 429, 503, 'default')
  async create(
    @Body() body: SessionRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionResponse> {
    if (body.type === 'email') {
      throw badRequest('Sessions of type email are not offered here: use an API key and type api-key.', [
        { field: 'type', message: 'must be api-key' },
      ]);
    }
    // An id that cannot be one (NUL, a megabyte of text) does not reach the database.
    const principal = isKeyId(body.key) ? await this.authenticator.checkApiKey(body.key, body.secret) : undefined;
    // The contract answers 400 here, not 401, and does not tell which half was wrong.
    if (principal === undefined) throw badRequest('Invalid authentication information');
    await this.limiter.count(principal.organizationId, reply);
    const { token } = await this.tokens.issue(principal);
    reply.header('cache-control', 'no-store');
    return { type: 'api-key', key: body.key, access_token: token };
  }

  @Get(':id')
  @Accepts('bearer-session')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'The session of the access token used, by its own id' })
  @ApiResponse({ status: 200, type: SessionDetails })
  @ApiErrors(401, 404, 429, 503, 'default')
  get(@Param('id') id: string, @CurrentPrincipal() { session }: Principal): SessionDetails {
    // Sessions are not stored: the only one that can be told about is the caller's own.
    if (session === undefined || session.id !== id) throw notFound('There is no such session for this access token.');
    return {
      id: session.id,
      type: 'api-key',
      key: session.keyId,
      organization_id: session.organizationId,
      created_at: session.issuedAt.toISOString(),
      expires_at: session.expiresAt.toISOString(),
    };
  }
}
