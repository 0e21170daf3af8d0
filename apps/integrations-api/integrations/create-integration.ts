import { DATASETS, specOf } from '@delivery/exports/domain';
import { ScheduleStore } from '@delivery/exports/store';
import {
  datasetOf,
  dataToKeep,
  findIntegrationType,
  type Integration,
  newShortId,
} from '@delivery/integrations/domain';
import { createFaults, type CreateIntegrationRequest } from '@delivery/integrations/schema';
import { IntegrationStore } from '@delivery/integrations/store';
import { badRequest } from '@delivery/platform/auth';
import { Injectable } from '@nestjs/common';
import { BucketSetups } from '../buckets/bucket-setups';
import { EnabledQuota } from '../quotas/enabled-quota';

/** Who creates, and for whom. */
export interface Creation {
  organizationId: string;
  keyId: string;
  request: CreateIntegrationRequest;
}

/** Makes an integration: its bucket is usable, and its schedule stands, when its row is there. */
@Injectable()
export class CreateIntegration {
  constructor(
    private readonly integrations: IntegrationStore,
    private readonly schedules: ScheduleStore,
    private readonly quota: EnabledQuota,
    private readonly setups: BucketSetups,
  ) {}

  /**
   * The first delivery is due 24 hours from now. Nothing stays behind when it fails, except the organization's bucket,
   * which the next integration uses.
   * @throws ApiException 400 naming each field, 403 when the quota is used up, 503 when the bucket cannot be reached
   */
  async create({
    organizationId,
    keyId,
    request,
  }: Creation): Promise<{ integration: Integration; warnings: readonly string[] }> {
    const faults = createFaults(request);
    const found = findIntegrationType(request.type_id);
    if (faults.length > 0 || 'fault' in found) throw badRequest('The integration is not valid: see errors.', faults);
    const { type } = found;
    const setup = this.setups.of(type);
    const id = newShortId();
    const { authentication, sealedCredentials, properties } = await setup.prepare({
      organizationId,
      integrationId: id,
      authentication: request.authentication,
      bucketName: request.properties.bucket_name,
    });
    const { frequency, compression } = request.properties;
    const data = dataToKeep(type, request.properties.data);
    const dataset = datasetOf(type, request.properties);
    const row = {
      organizationId,
      id,
      typeId: type.typeId,
      authentication,
      sealedCredentials,
      properties: {
        frequency,
        ...(data === undefined ? {} : { data }),
        ...(compression === undefined ? {} : { compression }),
        ...properties,
      },
      mappings: [],
      createdBy: keyId,
    };
    const { result, warnings } = await setup.transaction(organizationId, async (tx) => {
      await this.quota.claim(tx, organizationId);
      const integration = await this.integrations.add(tx, row);
      await this.schedules.create(tx, {
        organizationId,
        integrationId: id,
        destinationKind: type.destinationKind,
        content: DATASETS[dataset],
        spec: specOf(dataset, compression ?? 'gzip'),
        frequencyDays: frequency,
      });
      return integration;
    });
    return { integration: result, warnings };
  }
}
