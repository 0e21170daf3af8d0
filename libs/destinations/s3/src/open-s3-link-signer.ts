import { assertKey, type LinkSigner } from '@delivery/destinations/driver';
import { LastingCredentials } from './lasting-credentials';
import { S3Calls } from './s3-calls';
import type { S3DestinationOptions } from './s3-options';

/**
 * Links to objects of a bucket, presigned (AWS Signature Version 4). Whoever signs needs s3:GetObject. A link is never
 * good for longer than the credentials that signed it: they are refreshed before it could outlive them.
 */
export async function openS3LinkSigner(options: S3DestinationOptions): Promise<LinkSigner> {
  const calls = await S3Calls.open(options, {});
  const credentials = new LastingCredentials((refresh) => calls.client.config.credentials(refresh));
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  return {
    async sign(key, { seconds, fileName }) {
      assertKey(key);
      const command = new calls.sdk.GetObjectCommand({
        Bucket: calls.target.Bucket,
        Key: key,
        ResponseContentDisposition: `attachment; filename="${fileName}"`,
      });
      try {
        await credentials.lastFor(seconds);
        return await getSignedUrl(calls.client, command, { expiresIn: seconds });
      } catch (error) {
        throw calls.mapped('GetObject', error);
      }
    },
    close: async () => calls.close(),
  };
}
