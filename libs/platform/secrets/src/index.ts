export { SECRETS_ERROR_CODES, SecretsError, type SecretsErrorCode } from './errors';
export { KeyRing } from './key-ring';
export { generateNamedKey, type NamedKey, NamedKeys, parseNamedKeys } from './named-keys';
export { SecretsConfig } from './secrets.config';
export { SigningConfig } from './signing.config';
export { generateSigningKey, ManifestSigner, publicKeyId, verifySignature } from './signing';
