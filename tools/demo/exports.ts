import { gcsSource, type ObjectSource, s3Source } from '../oracle';
import type { StackEnvironment } from '../stack';
import { type Client, serviceAccountKey } from './client';

export interface CreatedExport {
  kind: 's3' | 'gcs';
  exportId: string;
  /** `s3://bucket` */
  bucketUrl: string;
  bucket: ObjectSource;
}

interface IntegrationAnswer {
  id: string;
  properties: { bucket_name: string };
}

/** The bucket of the contract's own request. */
const gcsBucket = 'didomi-cmp-bucket';

/*
 * The requests of the contract's tutorial ("Configure an analytics export"), word for word but for the type, the
 * organization, and a complete key where theirs ends in dots.
 */
const s3Request = (organization: string) => `{
    "organization_id": "${organization}",
    "type_id": "batch-exports-s3",
    "authentication": {
        "account_id": "0000000000"
    },
    "properties": {
        "frequency": 1
    },
    "mappings": []
}`;

const gcsRequest = (organization: string, key: string) => `{
    "organization_id": "${organization}",
    "type_id": "batch-exports-gcp",
    "authentication": {
        "project_id": "didomi-cmp",
        "json_key": ${JSON.stringify(key)}
    },
    "properties": {
        "frequency": 1,
        "bucket_name": "${gcsBucket}"
    },
    "mappings": []
}`;

/** An export to the platform's own S3 bucket, and one to the customer's GCS bucket. */
export async function createExports(
  client: Client,
  api: string,
  environment: StackEnvironment,
): Promise<CreatedExport[]> {
  const url = `${api}/v1/marketplace/integrations`;
  const s3 = await client.post<IntegrationAnswer>(url, s3Request(client.organization));
  await createGcsBucket(environment['GCS_ENDPOINT'] ?? '');
  const gcs = await client.post<IntegrationAnswer>(
    url,
    gcsRequest(client.organization, serviceAccountKey('didomi-cmp')),
  );
  const s3Bucket = s3.properties.bucket_name;
  return [
    { kind: 's3', exportId: s3.id, bucketUrl: `s3://${s3Bucket}`, bucket: s3Source(s3Access(environment), s3Bucket) },
    {
      kind: 'gcs',
      exportId: gcs.id,
      bucketUrl: `gs://${gcsBucket}`,
      bucket: gcsSource(environment['GCS_ENDPOINT'] ?? '', gcsBucket),
    },
  ];
}

/** What the customer does in his own project before he asks for an export; an earlier demo may have done it. */
async function createGcsBucket(endpoint: string): Promise<void> {
  const answer = await fetch(`${endpoint}/storage/v1/b?project=didomi-cmp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: gcsBucket }),
  });
  if (!answer.ok && answer.status !== 409) {
    throw new Error(`The GCS server made no bucket: ${answer.status} ${await answer.text()}`);
  }
}

function s3Access(environment: StackEnvironment) {
  return {
    endpoint: environment['S3_ENDPOINT'] ?? '',
    region: environment['AWS_REGION'] ?? 'us-east-1',
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
}
