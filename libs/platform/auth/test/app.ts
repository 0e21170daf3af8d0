import { Section } from '@delivery/platform/config';
import { generateNamedKey } from '@delivery/platform/secrets';
import { bootService, HttpConfig, LogConfig, type ServiceDefinition } from '@delivery/platform/service';
import { Body, Controller, Get, InternalServerErrorException, Module, Param, Post, Query, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsString, Matches, ValidateNested } from 'class-validator';
import type { FastifyReply } from 'fastify';
import {
  Accepts,
  type ApiKeyRecord,
  AuthConfig,
  AuthModule,
  CONTRACT_RATE_LIMIT,
  CurrentPrincipal,
  type FieldError,
  generateApiKey,
  hashSecret,
  notFound,
  type Principal,
  Public,
  requireOrganization,
} from '../src';

class TestConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Section(AuthConfig)
  auth: AuthConfig;
}

class Authentication {
  @IsString()
  account_id: string;

  @Matches(/^[0-9]+$/, { message: 'json_key is not a key' })
  json_key: string;
}

class Thing {
  /** What the two say together: a key belongs to a frequency of 1. */
  static faultsBetween(body: { frequency?: unknown }): FieldError[] {
    return body.frequency === 2 ? [{ field: 'authentication.json_key', message: 'is not used twice a day' }] : [];
  }

  @IsInt()
  frequency: number;

  @ValidateNested()
  @Type(() => Authentication)
  authentication: Authentication;
}

@Controller()
@Accepts('bearer-session')
class ThingsController {
  @Get('v1/things')
  list(@CurrentPrincipal() principal: Principal, @Query() query: unknown): object {
    return { organization: requireOrganization(principal, query), key: principal.keyId };
  }

  @Get('v1/consents/users')
  users(): object {
    return {};
  }

  @Get('v1/things/:id')
  one(@Param('id') id: string): object {
    throw notFound(`There is no thing ${id}.`);
  }

  @Post('v1/things')
  create(@Body() body: Thing): object {
    return { class: body.constructor.name };
  }

  @Post('v1/any')
  any(@Body() body: unknown): object {
    return { type: typeof body };
  }

  @Get('v1/keys')
  @Accepts('x-api-key', 'basic', 'app', 'raw')
  byKey(@CurrentPrincipal() { organizationId }: Principal): object {
    return { organizationId };
  }

  @Get('v1/broken')
  @Public()
  broken(): never {
    throw Object.assign(new Error('CANARY in an error'), { headers: { authorization: 'CANARY' } });
  }

  @Get('v1/internal')
  @Public()
  internal(): never {
    throw new InternalServerErrorException('CANARY for developers');
  }

  @Get('v1/away')
  @Public()
  away(): never {
    throw Object.assign(new Error('connect ECONNREFUSED CANARY'), { code: 'unavailable', retryable: true });
  }

  @Get('v1/half')
  @Public()
  half(@Res() reply: FastifyReply): never {
    reply.raw.writeHead(200, { 'content-length': '1000' });
    reply.raw.write('half');
    throw new Error('broke off');
  }
}

@Controller('v1/forgotten')
class ForgottenController {
  @Get()
  get(): object {
    return { secret: true };
  }
}

/** A key of organization acme. */
export const issued = generateApiKey();
/** A key of another organization. */
export const other = generateApiKey();
/** A disabled key. */
export const off = generateApiKey();
export const records = new Map<string, ApiKeyRecord>([
  [issued.id, { id: issued.id, organizationId: 'acme', enabled: true, ...hashSecret(issued.secret) }],
  [other.id, { id: other.id, organizationId: 'other', enabled: true, ...hashSecret(other.secret) }],
  [off.id, { id: off.id, organizationId: 'acme', enabled: false, ...hashSecret(off.secret) }],
]);
/** Ids the lookup was asked for. */
export const asked: string[] = [];
/** Whether the database is away. */
export const database = { away: false };
const find = async (id: string) => {
  asked.push(id);
  if (database.away) throw Object.assign(new Error('the database is away'), { retryable: true });
  return records.get(id);
};

@Module({})
class TestModule {}

function definition(points: number): ServiceDefinition<TestConfig> {
  return {
    name: 'auth-test',
    config: TestConfig,
    module: ({ auth }) => ({
      module: TestModule,
      imports: [
        AuthModule.register({
          config: auth,
          lookup: { useFactory: () => ({ find }) },
          rateLimit: { ...CONTRACT_RATE_LIMIT, points },
        }),
      ],
      controllers: [ThingsController, ForgottenController],
    }),
  };
}

/** Every line logged. */
export const lines: string[] = [];
const env = { AUTH_TOKEN_KEYS: generateNamedKey('k'), LOG_LEVEL: 'debug', HTTP_BODY_LIMIT_BYTES: '20000' };
/** Starts the app with a limit of its own. */
export const boot = (points: number) =>
  bootService(definition(points), env, { logs: { write: (line) => void lines.push(line) } });
