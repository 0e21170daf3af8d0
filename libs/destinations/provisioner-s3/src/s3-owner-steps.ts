import { shellArgument, type OwnerStep } from '@delivery/destinations/driver';

/**
 * How the owner of an export reads the bucket that the platform keeps for him.
 *
 * @param options.exportPrefix the integration's folder, such as `data/export-id=58g9gnu3b5/`
 */
export function s3OwnerSteps(options: {
  bucket: string;
  roleArn: string;
  accountIds: readonly string[];
  exportPrefix: string;
  region: string;
}): OwnerStep[] {
  const { bucket, roleArn, exportPrefix, region } = options;
  const accounts = options.accountIds.join(', ');
  const policy = JSON.stringify(
    { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: roleArn }] },
    null,
    2,
  );
  const profile = 'consent-exports';
  const url = shellArgument(`s3://${bucket}/${exportPrefix}`);
  return [
    {
      title: 'Allow one of your principals to assume the role',
      text: `The role trusts your AWS account (${accounts}) as a whole; this policy decides who in it may use the role. Attach it to the IAM user or role that reads the exports.`,
      code: policy,
      language: 'json',
    },
    {
      title: 'Attach the policy',
      text: 'For an IAM role; for a user, use put-user-policy --user-name. Save the policy above as read-exports.json first.',
      code: 'aws iam put-role-policy --role-name YOUR_ROLE --policy-name read-consent-exports --policy-document file://read-exports.json',
      language: 'bash',
    },
    {
      title: 'Make a profile that assumes the role',
      text: 'The AWS command line then fetches and renews the credentials by itself. Change source_profile to the profile of the principal above.',
      code: [
        `aws configure set role_arn ${shellArgument(roleArn)} --profile ${profile}`,
        `aws configure set source_profile default --profile ${profile}`,
        `aws configure set region ${shellArgument(region)} --profile ${profile}`,
        `aws sts get-caller-identity --profile ${profile}`,
      ].join('\n'),
      language: 'bash',
    },
    {
      title: 'List what was delivered',
      text: 'The bucket is requester pays: without --request-payer requester, S3 answers 403 AccessDenied. A folder is complete once it holds a file _SUCCESS.',
      code: `aws s3 ls ${url} --recursive --request-payer requester --profile ${profile}`,
      language: 'bash',
    },
    {
      title: 'Copy the files',
      text: 'Read all files that end in .json.gz; their names may change. Objects are deleted after 7 days.',
      code: `aws s3 cp ${url} ./exports/ --recursive --request-payer requester --profile ${profile}`,
      language: 'bash',
    },
  ];
}
