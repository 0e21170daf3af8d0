import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { openGcsDestination } from './open-gcs-destination';
import { openGcsLinkSigner } from './open-gcs-link-signer';
import { openGcsReader } from './open-gcs-reader';
import { parseServiceAccountKey } from './service-account-key';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const client_email = 'reports@acme.iam.gserviceaccount.com';
const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const json = JSON.stringify({ type: 'service_account', client_email, private_key, project_id: 'acme', token_uri: 'x' });
const credentials = parseServiceAccountKey(json);
const options = { bucket: 'acme-reports', projectId: 'acme', credentials };
const key = 'reports/analytics/acme/a=1/interaction-2026-02-03-000000000000.csv';

/** What Cloud Storage verifies (V4 signing process): made of the link alone. */
function signedText(link: URL): string {
  const query = [...link.searchParams].filter(([name]) => name !== 'X-Goog-Signature');
  const encoded = query.map((pair) => pair.map(encode).join('=')).toSorted();
  const request = ['GET', link.pathname, encoded.join('&'), `host:${link.host}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  const hash = createHash('sha256').update(request.join('\n')).digest('hex');
  const scope = link.searchParams.get('X-Goog-Credential')?.replace(`${client_email}/`, '');
  return ['GOOG4-RSA-SHA256', link.searchParams.get('X-Goog-Date'), scope, hash].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

it('signs links that Cloud Storage takes: for one object, for 15 minutes, saved under its name', async () => {
  const signer = await openGcsLinkSigner(options);
  const text = await signer.sign(key, { seconds: 900, fileName: 'interaction-2026-02-03-000000000000.csv' });
  const link = new URL(text);
  const { searchParams } = link;
  expect(`${link.origin}${link.pathname}`).toBe(
    'https://storage.googleapis.com/acme-reports/reports/analytics/acme/a%3D1/interaction-2026-02-03-000000000000.csv',
  );
  expect(searchParams.get('X-Goog-Algorithm')).toBe('GOOG4-RSA-SHA256');
  expect(searchParams.get('X-Goog-Expires')).toBe('900');
  expect(searchParams.get('X-Goog-SignedHeaders')).toBe('host');
  expect(searchParams.get('response-content-disposition')).toBe(
    'attachment; filename="interaction-2026-02-03-000000000000.csv"',
  );
  const signature = Buffer.from(searchParams.get('X-Goog-Signature') ?? '', 'hex');
  expect(verify('sha256', Buffer.from(signedText(link)), publicKey, signature)).toBe(true);
  link.pathname = link.pathname.replace('000000000000', '000000000001');
  expect(verify('sha256', Buffer.from(signedText(link)), publicKey, signature)).toBe(false);
  const [, material = ''] = private_key.split('\n');
  expect(text).not.toContain(material);
  await signer.close();
});

it('refuses keys that leave the folder', async () => {
  const signer = await openGcsLinkSigner(options);
  await expect(signer.sign('../other', { seconds: 900, fileName: 'a' })).rejects.toMatchObject({ code: 'invalid_key' });
});

it('is opened with a key as its owner downloaded it, as the destination and the reader are', async () => {
  const nameless = parseServiceAccountKey(JSON.stringify({ type: 'service_account', client_email, private_key }));
  for (const open of [openGcsLinkSigner, openGcsDestination, openGcsReader]) {
    for (const each of [credentials, nameless]) await (await open({ ...options, credentials: each })).close();
  }
});
