import { createPrivateKey } from 'node:crypto';
import { DestinationError } from '@delivery/destinations/driver';

/** All that is ever used of a key file: none of its URLs is followed. */
export interface ServiceAccountKey {
  client_email: string;
  /** PEM of an RSA key. Secret. */
  private_key: string;
  project_id: string | undefined;
}

/** A real key file has about 2.4 kB. */
const MAX_KEY_LENGTH = 20_000;

/**
 * Reads the JSON key of a Google service account, as its owner downloaded it.
 *
 * Other kinds of credentials name URLs, files or commands from which a token is fetched; following a customer's would
 * let him reach into the platform's network, so only `service_account` is accepted.
 *
 * @param json the file's text
 * @throws DestinationError `invalid_configuration` with a sentence for each fault; it never quotes the key
 */
export function parseServiceAccountKey(json: string): ServiceAccountKey {
  const fields = parseObject(json);
  assertType(fields['type']);
  const universe = fields['universe_domain'];
  if (universe !== undefined && universe !== 'googleapis.com') {
    throw refused('belongs to another universe than googleapis.com. Use a key of a project on Google Cloud.');
  }
  const email = fields['client_email'];
  if (typeof email !== 'string' || email === '') {
    throw refused('has no client_email. Give the whole file as it was downloaded.');
  }
  if (!/^[a-z0-9.-]{1,100}@[a-z0-9.-]{1,100}\.gserviceaccount\.com$/i.test(email)) {
    throw refused('has a client_email that is not of a service account (it ends with "gserviceaccount.com").');
  }
  const projectId = fields['project_id'];
  return {
    client_email: email,
    private_key: checkedPrivateKey(fields['private_key']),
    project_id: typeof projectId === 'string' ? projectId : undefined,
  };
}

function parseObject(json: string): Record<string, unknown> {
  if (json.trim() === '') throw refused('is empty. Give the JSON file of a key as one string.');
  if (json.length > MAX_KEY_LENGTH) throw refused('is longer than any key file. Give the JSON file of one key.');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The parser's message quotes what it read: it must not be passed on.
    const cut = json.trimStart().startsWith('{') && !json.trimEnd().endsWith('}');
    throw refused(
      cut
        ? 'is not complete: its end is missing. Give the whole file as it was downloaded.'
        : 'is not JSON. Give the JSON file of the key, not a path, a P12 file or base64.',
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('is JSON, but not an object. Give the whole file as it was downloaded.');
  }
  return { ...value };
}

function assertType(type: unknown): void {
  if (type === 'service_account') return;
  if (type === undefined) throw refused('has no type. Give the whole file as it was downloaded.');
  const shown = typeof type === 'string' && /^\w{1,40}$/.test(type) ? `"${type}"` : 'unknown';
  throw refused(`is of the type ${shown}. Only keys of the type "service_account" are accepted: create one under IAM.`);
}

function checkedPrivateKey(pem: unknown): string {
  if (typeof pem !== 'string' || pem === '') {
    throw refused('has no private_key. Give the whole file as it was downloaded.');
  }
  if (!pem.includes('-----BEGIN ')) throw refused('has a private_key that is not PEM ("-----BEGIN PRIVATE KEY-----").');
  if (!pem.includes('\n')) {
    throw refused('has a private_key whose line breaks were lost. Keep each "\\n" of the file as it is.');
  }
  if (pem.includes('ENCRYPTED')) {
    throw refused('has a private_key that is locked with a passphrase. Give the file as it was downloaded.');
  }
  let type: string | undefined;
  try {
    type = createPrivateKey(pem).asymmetricKeyType;
  } catch {
    throw refused(
      'has a private_key that cannot be read: it was cut or changed. Give the whole file as it was downloaded.',
    );
  }
  if (type !== 'rsa') throw refused('has a private_key that is not of RSA. Service accounts have RSA keys.');
  return pem;
}

function refused(fault: string): DestinationError {
  return new DestinationError('invalid_configuration', `The service account key (json_key) ${fault}`);
}
