import type { OwnerStep } from '@delivery/destinations/driver';
import { gcsOwnerSteps } from '@delivery/destinations/gcs';
import { s3OwnerSteps } from '@delivery/destinations/provisioner-s3';
import type { Integration, OrganizationBucket } from '@delivery/integrations/domain';
import { typeOf } from './change-integration';

/** What the owner of an integration does on his side, with his values filled in. */
export function ownerSteps(
  integration: Integration,
  bucket: OrganizationBucket | undefined,
  region: string,
): OwnerStep[] {
  const { id, properties, authentication } = integration;
  if (typeOf(integration).bucketOwner === 'platform') {
    if (bucket?.roleArn === undefined) return [];
    return s3OwnerSteps({
      bucket: bucket.bucketName,
      roleArn: bucket.roleArn,
      accountIds: bucket.accountIds,
      exportPrefix: `data/export-id=${id}/`,
      region,
    });
  }
  return gcsOwnerSteps({
    bucket: properties.bucket_name ?? '',
    clientEmail: authentication.client_email ?? '',
    projectId: authentication.project_id ?? '',
  });
}

/** The same as a page to paste into a ticket or wiki. */
export function stepsAsMarkdown(integration: Integration, steps: readonly OwnerStep[]): string {
  const sections = steps.map(({ title, text, code, language }, index) =>
    [`## ${index + 1}. ${title}`, text, `\`\`\`${language}\n${code}\n\`\`\``].join('\n\n'),
  );
  return [`# Export ${integration.id} of ${integration.organizationId}`, ...sections].join('\n\n') + '\n';
}
