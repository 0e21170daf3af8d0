import { randomInt } from 'node:crypto';

/** S3 allows 63 characters; a role is named `<bucket>-role`, and IAM allows 64 for that. */
export const MAX_BUCKET_NAME = 64 - '-role'.length;

const SUFFIX_LENGTH = 10;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * `<prefix>-<organization>-<random>`, as S3 accepts it: lower-case letters, digits and single hyphens (no dots, which
 * TLS certificates do not cover), at most 59 characters. The random part makes it unlikely that anybody has it.
 *
 * @param random an integer in [0, bound); cryptographic by default, since a guessable name can be taken by others first
 */
export function allocateBucketName(
  prefix: string,
  organizationId: string,
  random: (bound: number) => number = (bound) => randomInt(bound),
): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET.charAt(random(ALPHABET.length))).join('');
  const room = MAX_BUCKET_NAME - prefix.length - suffix.length - 2;
  const organization = hyphenated(organizationId).slice(0, room);
  return [prefix, hyphenated(organization), suffix].filter((part) => part !== '').join('-');
}

/** Lower-case letters and digits, everything else one hyphen, none at the ends. */
function hyphenated(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** The name of the role through which the customer reads his bucket (contracts.md §1.4). */
export function roleNameOf(bucketName: string): string {
  return `${bucketName}-role`;
}
