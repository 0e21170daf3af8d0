/** `aws`, or the name that the regions of China and of the US government have in ARNs. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/**
 * Who may assume the customer's role. No external id: he assumes a role of ours for his own data, and the clients of
 * this contract pass none (contracts.md D-22).
 */
export function trustPolicy(partition: string, accountIds: readonly string[]): string {
  const principals = [...new Set(accountIds)].sort().map((id) => `arn:${partition}:iam::${id}:root`);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principals }, Action: 'sts:AssumeRole' }],
  });
}

/** What the customer may do with his bucket. */
export function readPolicy(partition: string, bucket: string): string {
  const arn = `arn:${partition}:s3:::${bucket}`;
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: arn },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: `${arn}/*` },
    ],
  });
}

/** Refuses everybody who does not use TLS. */
export function tlsOnlyPolicy(partition: string, bucket: string): string {
  const arn = `arn:${partition}:s3:::${bucket}`;
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [arn, `${arn}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });
}
