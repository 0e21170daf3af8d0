import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundObject, ObjectSource } from './delivery';

export interface S3Access {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A bucket on an S3 server, with nothing but the vendor's own client. */
export function s3Source(access: S3Access, bucket: string): ObjectSource {
  const client = new S3Client({
    endpoint: access.endpoint,
    region: access.region,
    forcePathStyle: true,
    credentials: { accessKeyId: access.accessKeyId, secretAccessKey: access.secretAccessKey },
  });
  return {
    async list(prefix) {
      const found: FoundObject[] = [];
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
        );
        found.push(...(page.Contents ?? []).map(({ Key = '', Size = 0 }) => ({ key: Key, bytes: Size })));
        token = page.NextContinuationToken;
      }
      return found;
    },
    async read(key) {
      const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, RequestPayer: 'requester' }));
      return Buffer.from((await object.Body?.transformToByteArray()) ?? []);
    },
  };
}

/** A bucket on a GCS server without authentication, over its JSON API. */
export function gcsSource(endpoint: string, bucket: string): ObjectSource {
  const base = `${endpoint}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const get = async (url: string) => {
    const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return answer;
  };
  return {
    async list(prefix) {
      const found: FoundObject[] = [];
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const query = new URLSearchParams({ prefix, ...(token !== undefined && { pageToken: token }) });
        const page = (await (await get(`${base}?${query}`)).json()) as {
          items?: { name: string; size: string }[];
          nextPageToken?: string;
        };
        found.push(...(page.items ?? []).map(({ name, size }) => ({ key: name, bytes: Number(size) })));
        token = page.nextPageToken || undefined;
      }
      return found;
    },
    async read(key) {
      return Buffer.from(await (await get(`${base}/${encodeURIComponent(key)}?alt=media`)).arrayBuffer());
    },
  };
}

/** A folder as bucket. */
export function fileSource(root: string): ObjectSource {
  return {
    async list(prefix) {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const found = await Promise.all(
        paths.map(async (path) => ({ key: path.slice(root.length + 1), bytes: (await stat(path)).size })),
      );
      return found.filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    read: (key) => readFile(join(root, key)),
  };
}
