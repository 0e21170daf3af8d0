import { generateKeyPairSync } from 'node:crypto';
import { DestinationError } from '@delivery/destinations/driver';
import { parseServiceAccountKey } from './service-account-key';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const pem = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();

const complete = {
  type: 'service_account',
  project_id: 'didomi-cmp',
  private_key_id: 'abc',
  private_key: pem,
  client_email: 'exports@didomi-cmp.iam.gserviceaccount.com',
  client_id: '1',
  auth_uri: 'http://169.254.169.254/auth',
  token_uri: 'http://169.254.169.254/token',
  auth_provider_x509_cert_url: 'http://169.254.169.254/certs',
  client_x509_cert_url: 'http://169.254.169.254/cert',
};

function faultOf(json: string): string {
  try {
    parseServiceAccountKey(json);
    return 'none';
  } catch (error) {
    if (!(error instanceof DestinationError)) throw error;
    expect(error).toMatchObject({ code: 'invalid_configuration', retryable: false });
    expect(error.message).not.toContain(pem.slice(40, 80));
    return error.message.replace('The service account key (json_key) ', '');
  }
}

describe('parseServiceAccountKey', () => {
  it('takes the account and its key, and drops every URL', () => {
    expect(parseServiceAccountKey(JSON.stringify(complete))).toEqual({
      client_email: complete.client_email,
      private_key: pem,
      project_id: 'didomi-cmp',
    });
  });

  it('takes a key in PKCS#1 as well', () => {
    const private_key = rsa.export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(parseServiceAccountKey(JSON.stringify({ ...complete, private_key })).private_key).toBe(private_key);
  });

  const cut = '{"type":"service_account","project_id":"didomi-cmp"...';
  it.each([
    ['', /^is empty/],
    [cut, /^is not complete: its end is missing/],
    ['/etc/key.json', /^is not JSON\. Give the JSON file of the key, not a path/],
    ['[]', /^is JSON, but not an object/],
    ['null', /^is JSON, but not an object/],
    ['"text"', /^is JSON, but not an object/],
    [' '.repeat(20_001) + '{}', /^is longer than any key file/],
    ['{}', /^has no type/],
  ])('refuses %j', (json, sentence) => {
    expect(faultOf(json)).toMatch(sentence);
  });

  it.each(['authorized_user', 'external_account', 'impersonated_service_account', 'gdch_service_account'])(
    'refuses the type %s, whose token comes from a URL or command of its own',
    (type) => {
      expect(faultOf(JSON.stringify({ ...complete, type }))).toMatch(
        new RegExp(`^is of the type "${type}"\\. Only keys of the type "service_account" are accepted`),
      );
    },
  );

  it.each<[string, object, RegExp]>([
    ['a type that is not text', { type: ['x'] }, /^is of the type unknown/],
    ['no account', { client_email: undefined }, /^has no client_email/],
    ['an account that is not text', { client_email: 7 }, /^has no client_email/],
    ['a person', { client_email: 'me@example.com' }, /^has a client_email that is not of a service account/],
    ['a look-alike', { client_email: 'a@gserviceaccount.com.evil.com' }, /^has a client_email that is not/],
    ['another universe', { universe_domain: 'evil.example' }, /^belongs to another universe/],
    ['no key', { private_key: undefined }, /^has no private_key/],
    ['an empty key', { private_key: '' }, /^has no private_key/],
    ['a key that is not PEM', { private_key: 'MIIEv' }, /^has a private_key that is not PEM/],
    ['a key in one line', { private_key: pem.replaceAll('\n', ' ') }, /^has a private_key whose line breaks were lost/],
    ['escaped line breaks', { private_key: pem.replaceAll('\n', '\\n') }, /^has a private_key whose line breaks/],
    ['a cut key', { private_key: pem.slice(0, 400) }, /^has a private_key that cannot be read/],
    [
      'a locked key',
      { private_key: rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString() },
      /^has a private_key that is locked/,
    ],
    [
      'a key of another kind',
      { private_key: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      /^has a private_key that is not of RSA/,
    ],
  ])('refuses %s', (_, change, sentence) => {
    expect(faultOf(JSON.stringify({ ...complete, ...change }))).toMatch(sentence);
  });
});
