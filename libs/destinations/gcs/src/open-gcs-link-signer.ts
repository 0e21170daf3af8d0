import { createPrivateKey, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { assertKey, type LinkSigner } from '@delivery/destinations/driver';
import { checkGcsOptions, type GcsDestinationOptions } from './gcs-options';

const signed = promisify(sign);

/**
 * Links to objects of a bucket, signed with the service account's key (V4). It needs storage.objects.get. For a local
 * server, which checks no signature, they are plain links.
 */
export async function openGcsLinkSigner(given: GcsDestinationOptions): Promise<LinkSigner> {
  const options = checkGcsOptions(given);
  const close = async () => undefined;
  const { bucket, projectId, credentials, endpoint } = options;
  if (credentials === 'anonymous-local') {
    const server = (endpoint ?? '').replace(/\/$/, '');
    const plain = async (key: string) => {
      assertKey(key);
      return `${server}/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(key)}?alt=media`;
    };
    return { sign: plain, close };
  }
  const { client_email, private_key } = credentials;
  const { Storage } = await import('@google-cloud/storage');
  const storage = new Storage({ projectId, credentials: { client_email, private_key } });
  // The SDK reads the PEM for each signature, which costs more than signing does. Signing leaves the event loop free here.
  const rsa = createPrivateKey(private_key);
  storage.authClient.sign = async (text) => (await signed('RSA-SHA256', Buffer.from(text), rsa)).toString('base64');
  return {
    async sign(key, { seconds, fileName }) {
      assertKey(key);
      const [url] = await storage
        .bucket(bucket)
        .file(key)
        .getSignedUrl({
          version: 'v4',
          action: 'read',
          expires: Date.now() + seconds * 1000,
          responseDisposition: `attachment; filename="${fileName}"`,
        });
      return url;
    },
    close,
  };
}
