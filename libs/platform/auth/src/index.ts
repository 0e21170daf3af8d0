export { Accepts, Public } from './accepts';
export { ApiErrors, type DocumentedError, type ErrorStatus } from './api-errors';
export { ApiErrorFilter, statusOf } from './api-error.filter';
export {
  API_KEY_LOOKUP,
  type ApiKeyLookup,
  type ApiKeyRecord,
  generateApiKey,
  hashSecret,
  type IssuedApiKey,
  type SecretHash,
  secretMatches,
} from './api-keys';
export { AuthConfig } from './auth.config';
export { AuthGuard } from './auth.guard';
export { AuthModule, type AuthModuleOptions } from './auth.module';
export { Authenticator } from './authenticator';
export { CachedApiKeys, type CacheOptions } from './cached-api-keys';
export {
  CREDENTIAL_SCHEMES,
  type Credentials,
  type CredentialScheme,
  type CredentialsOutcome,
  parseCredentials,
} from './credentials';
export {
  ApiException,
  type ApiExceptionOptions,
  badRequest,
  type ErrorBody,
  errorBody,
  type FieldError,
  forbidden,
  notFound,
  unauthorized,
} from './errors';
export { CurrentPrincipal, type Principal, principalOf, refusedOf, requireOrganization } from './principal';
export { CONTRACT_RATE_LIMIT, RateLimiter, RateLimitGuard, type RateLimitOptions } from './rate-limit';
export { fieldErrors, invalidRequest, RequestPipe } from './request.pipe';
export { type Session, SessionTokens } from './session-tokens';
export { SessionDetails, SessionRequest, SessionResponse, SessionsController } from './sessions.controller';
