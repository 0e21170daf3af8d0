import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { ApiErrorFilter } from './api-error.filter';
import { API_KEY_LOOKUP, type ApiKeyLookup } from './api-keys';
import type { AuthConfig } from './auth.config';
import { AuthGuard } from './auth.guard';
import { Authenticator } from './authenticator';
import { FailureLimit } from './failure-limit';
import {
  CONTRACT_RATE_LIMIT,
  RATE_LIMIT_OPTIONS,
  RateLimiter,
  RateLimitGuard,
  type RateLimitOptions,
} from './rate-limit';
import { RequestPipe } from './request.pipe';
import { SessionTokens } from './session-tokens';
import { SessionsController } from './sessions.controller';

export interface AuthModuleOptions {
  /** How sessions are made; without it there are none, and `/v1/sessions` is not served. */
  readonly config?: AuthConfig;
  /** Modules whose exports `lookup` injects. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Where API keys are found: `{ inject: [ApiKeyStore], useFactory: (keys) => keys }`. */
  readonly lookup: Pick<FactoryProvider<ApiKeyLookup>, 'inject' | 'useFactory'>;
  /** By default that of contracts.md §1.2. */
  readonly rateLimit?: RateLimitOptions;
}

/**
 * All a REST app needs to speak contract 1: every route is guarded (`@Accepts` or `@Public`), limited, validated, and
 * fails with the contract's error body; `/v1/sessions` is served.
 */
@Module({})
export class AuthModule {
  static register(options: AuthModuleOptions): DynamicModule {
    const { config, lookup, imports = [], rateLimit = CONTRACT_RATE_LIMIT } = options;
    return {
      module: AuthModule,
      global: true,
      imports: [...imports],
      controllers: config === undefined ? [] : [SessionsController],
      providers: [
        { provide: API_KEY_LOOKUP, inject: lookup.inject ?? [], useFactory: lookup.useFactory },
        { provide: SessionTokens, useFactory: () => config && SessionTokens.fromConfig(config) },
        { provide: RATE_LIMIT_OPTIONS, useValue: rateLimit },
        Authenticator,
        FailureLimit,
        RateLimiter,
        // Guards run in this order: whose limit it is must be known first.
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_GUARD, useClass: RateLimitGuard },
        { provide: APP_FILTER, useClass: ApiErrorFilter },
        { provide: APP_PIPE, useClass: RequestPipe },
      ],
      exports: [Authenticator, SessionTokens, RateLimiter],
    };
  }
}
