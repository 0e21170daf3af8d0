import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { World } from './world';

/** What the S3 server itself says about a bucket. */
export class S3Server {
  private readonly client: S3Client;

  constructor({ environment }: World) {
    this.client = new S3Client({
      endpoint: environment['S3_ENDPOINT'] ?? '',
      region: environment['AWS_REGION'] ?? '',
      forcePathStyle: true,
      credentials: {
        accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
  }

  /** Keys of multipart uploads that were begun and neither completed nor aborted. */
  async unfinishedUploads(bucket: string): Promise<string[]> {
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.map(({ Key }) => Key ?? '');
  }

  /** Every object with what changes when it is written again. */
  async state(bucket: string): Promise<string[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key, ETag, LastModified }) => `${Key} ${ETag} ${LastModified?.toISOString()}`).sort();
  }

  close(): void {
    this.client.destroy();
  }
}
