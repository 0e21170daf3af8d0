import { type Integration, type OrganizationBucket, parseAccountId } from '@delivery/integrations/domain';
import type { IntegrationResponse } from '@delivery/integrations/schema';
import { typeOf } from './change-integration';

/**
 * An integration as clients see it: never a credential.
 *
 * @param bucket the organization's own bucket, if it has one
 * @param warnings of the request that is being answered, beside those that hold at any time
 */
export function toIntegrationResponse(
  integration: Integration,
  bucket: OrganizationBucket | undefined,
  warnings: readonly string[] = [],
): IntegrationResponse {
  const { authentication, properties } = integration;
  const made = typeOf(integration).bucketOwner === 'platform' ? bucket : undefined;
  return {
    id: integration.id,
    organization_id: integration.organizationId,
    type_id: integration.typeId,
    authentication: {
      ...(authentication.account_id === undefined ? {} : { account_id: authentication.account_id }),
      ...(authentication.project_id === undefined ? {} : { project_id: authentication.project_id }),
      ...(authentication.client_email === undefined ? {} : { client_email: authentication.client_email }),
    },
    properties: {
      frequency: properties.frequency,
      ...(properties.data === undefined ? {} : { data: properties.data }),
      ...(properties.compression === undefined ? {} : { compression: properties.compression }),
      bucket_name: made?.bucketName ?? properties.bucket_name ?? '',
      ...(made?.roleArn === undefined ? {} : { bucket_access_role_arn: made.roleArn }),
    },
    mappings: integration.mappings,
    enabled: integration.enabled,
    status: integration.status,
    created_at: integration.createdAt.toISOString(),
    updated_at: integration.updatedAt.toISOString(),
    warnings: [...accountWarnings(integration), ...warnings],
  };
}

function accountWarnings({ authentication }: Integration): string[] {
  const account = authentication.account_id === undefined ? undefined : parseAccountId(authentication.account_id);
  return account !== undefined && 'warning' in account && account.warning !== undefined ? [account.warning] : [];
}
