import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { v7 } from 'uuid';

/** What a client is given once: the secret is not stored and cannot be shown again. */
export interface IssuedApiKey {
  readonly id: string;
  readonly secret: string;
  /** Both in one text, for the ways of passing a key that have one field. */
  readonly combined: string;
}

/** What is stored of a secret. */
export interface SecretHash {
  readonly secretHash: Uint8Array;
  readonly secretSalt: Uint8Array;
}

/** An API key as it is stored. */
export interface ApiKeyRecord extends SecretHash {
  readonly id: string;
  readonly organizationId: string;
  readonly enabled: boolean;
}

/** Finds API keys by id, across organizations (who asks is not known yet). */
export interface ApiKeyLookup {
  /** @returns undefined when there is none; disabled ones are returned. */
  find(keyId: string): Promise<ApiKeyRecord | undefined>;
}

/** Token under which an app provides its {@link ApiKeyLookup}. */
export const API_KEY_LOOKUP = Symbol('ApiKeyLookup');

const SECRET_BYTES = 32;
const SALT_BYTES = 16;

/** Makes a key: the id is a UUIDv7, the secret 256 random bits in base64url. */
export function generateApiKey(): IssuedApiKey {
  const id = v7();
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, secret, combined: `${id}.${secret}` };
}

/**
 * SHA-256 of salt and secret. A slow hash (scrypt, argon2) makes guessing *passwords* expensive; our secrets are 256
 * random bits, which nobody guesses at any speed, so it would only make each request expensive. The salt of each key
 * keeps equal secrets, should an operator import such, from having equal hashes.
 */
export function hashSecret(secret: string, secretSalt: Uint8Array = randomBytes(SALT_BYTES)): SecretHash {
  return { secretHash: createHash('sha256').update(secretSalt).update(secret, 'utf8').digest(), secretSalt };
}

/** Stands in for a key that does not exist, so that the answer takes as long as for one that does. */
const NO_KEY: SecretHash = { secretHash: randomBytes(SECRET_BYTES), secretSalt: randomBytes(SALT_BYTES) };

/**
 * Whether a secret is the one that was hashed, in constant time; also in that time when there is no such key.
 *
 * @param stored - undefined when the key was not found: then the answer is false
 */
export function secretMatches(secret: string, stored: SecretHash | undefined): boolean {
  const { secretHash, secretSalt } = stored ?? NO_KEY;
  const given = hashSecret(secret, secretSalt).secretHash;
  const same = given.length === secretHash.length && timingSafeEqual(given, secretHash);
  return same && stored !== undefined;
}
