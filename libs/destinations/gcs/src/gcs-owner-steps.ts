import { shellArgument, type OwnerStep } from '@delivery/destinations/driver';

/**
 * What the owner of a Cloud Storage bucket does so that exports can be delivered into it, and how he reads them.
 * The two roles together hold what is needed: storage.objects.* and storage.buckets.get (contracts.md D-14).
 */
export function gcsOwnerSteps(options: { bucket: string; clientEmail: string; projectId: string }): OwnerStep[] {
  const bucket = shellArgument(`gs://${options.bucket}`);
  const folder = shellArgument(`gs://${options.bucket}/data/`);
  const member = shellArgument(`serviceAccount:${options.clientEmail}`);
  const project = shellArgument(options.projectId);
  const grant = (role: string): OwnerStep['code'] =>
    `gcloud storage buckets add-iam-policy-binding ${bucket} --member=${member} --role=${role} --project=${project}`;
  return [
    {
      title: 'Create the bucket, if there is none',
      text: 'Uniform access lets IAM alone decide. Do not set a retention policy: an export that is repeated replaces its files.',
      code: `gcloud storage buckets create ${bucket} --project=${project} --uniform-bucket-level-access --public-access-prevention`,
      language: 'bash',
    },
    {
      title: 'Let the service account write, replace and remove objects',
      text: 'Storage Object Admin holds storage.objects.*. It is granted on this bucket only; the account needs no role in the project.',
      code: grant('roles/storage.objectAdmin'),
      language: 'bash',
    },
    {
      title: 'Let the service account see the bucket',
      text: 'Storage Legacy Bucket Reader holds storage.buckets.get.',
      code: grant('roles/storage.legacyBucketReader'),
      language: 'bash',
    },
    {
      title: 'List what was delivered',
      text: 'A folder is complete once it holds a file _SUCCESS.',
      code: `gcloud storage ls --recursive ${folder}`,
      language: 'bash',
    },
    {
      title: 'Copy the files',
      text: 'Read all files that end in .json.gz; their names may change.',
      code: `gcloud storage cp --recursive ${folder} ./exports/`,
      language: 'bash',
    },
  ];
}
