import { specOf } from '@delivery/exports/domain';
import { ScheduleStore } from '@delivery/exports/store';
import { datasetOf, INTEGRATION_TYPES, type Integration, type IntegrationType } from '@delivery/integrations/domain';
import { type FieldFault, updateFaults, type UpdateIntegrationRequest } from '@delivery/integrations/schema';
import { type IntegrationChanges, IntegrationStore } from '@delivery/integrations/store';
import { ApiException, badRequest, notFound } from '@delivery/platform/auth';
import { Database, type Transaction } from '@delivery/platform/postgres';
import { Injectable } from '@nestjs/common';
import { BucketSetups } from '../buckets/bucket-setups';
import { EnabledQuota } from '../quotas/enabled-quota';

/** Changes and removes integrations. */
@Injectable()
export class ChangeIntegration {
  constructor(
    private readonly database: Database,
    private readonly integrations: IntegrationStore,
    private readonly schedules: ScheduleStore,
    private readonly quota: EnabledQuota,
    private readonly setups: BucketSetups,
  ) {}

  /**
   * Changes what is given and keeps the rest. A changed destination is proved before it is stored, and runs that are
   * claimed from then on use it.
   * @throws ApiException 400, 403, 404; 409 when somebody else changed the integration meanwhile
   */
  async update(
    organizationId: string,
    id: string,
    request: UpdateIntegrationRequest,
  ): Promise<{ integration: Integration; warnings: readonly string[] }> {
    const current = await this.integrations.byId(organizationId, id);
    if (current === undefined) throw noSuchIntegration();
    const type = typeOf(current);
    const faults = [...updateFaults(type, request), ...datasetFaults(current, request)];
    if (faults.length > 0) throw badRequest('The change is not valid: see errors.', faults);

    const setup = this.setups.of(type);
    const changes = await this.changesOf(current, request);
    const apply = async (tx: Transaction): Promise<Integration> => {
      if (request.enabled === true && !current.enabled) await this.quota.claim(tx, organizationId);
      const locked = await this.integrations.lock(tx, organizationId, id);
      if (locked === undefined) throw noSuchIntegration();
      if (locked.updatedAt.getTime() !== current.updatedAt.getTime()) throw changedMeanwhile();
      await this.reschedule(tx, current, request);
      return (await this.integrations.change(tx, organizationId, id, changes)) ?? locked;
    };
    const { result, warnings } =
      changes.authentication === undefined
        ? { result: await this.database.transaction(apply), warnings: [] }
        : await setup.transaction(organizationId, apply);
    return { integration: result, warnings };
  }

  /** Cancels its runs, destroys its credentials and takes back the access that was given for it. Repeatable: then 404. */
  async remove(organizationId: string, id: string): Promise<void> {
    const current = await this.integrations.byId(organizationId, id);
    if (current === undefined) throw noSuchIntegration();
    await this.setups.of(typeOf(current)).withdrawal(organizationId, async (tx) => {
      if ((await this.integrations.remove(tx, organizationId, id)) === 'absent') throw noSuchIntegration();
      await this.schedules.remove(tx, { organizationId, integrationId: id });
    });
  }

  private async changesOf(current: Integration, request: UpdateIntegrationRequest): Promise<IntegrationChanges> {
    const { frequency, compression, bucket_name: newBucket } = request.properties ?? {};
    const properties = {
      ...current.properties,
      ...(frequency === undefined ? {} : { frequency }),
      ...(compression === undefined ? {} : { compression }),
    };
    const enabled = request.enabled === undefined ? {} : { enabled: request.enabled };
    const sameBucket = newBucket === undefined || newBucket === current.properties.bucket_name;
    if (request.authentication === undefined && sameBucket) return { ...enabled, properties };
    const prepared = await this.setups.of(typeOf(current)).prepare({
      organizationId: current.organizationId,
      integrationId: current.id,
      authentication: request.authentication ?? {},
      bucketName: newBucket,
      current: {
        authentication: current.authentication,
        bucketName: current.properties.bucket_name,
        sealedCredentials: current.sealedCredentials,
      },
    });
    return {
      ...enabled,
      properties: { ...properties, ...prepared.properties },
      authentication: prepared.authentication,
      sealedCredentials: prepared.sealedCredentials,
    };
  }

  private async reschedule(
    tx: Transaction,
    current: Integration,
    { enabled, properties: { compression } = {} }: UpdateIntegrationRequest,
  ): Promise<void> {
    const key = { organizationId: current.organizationId, integrationId: current.id };
    const dataset = datasetOf(typeOf(current), current.properties);
    if (compression !== undefined) await this.schedules.change(tx, key, { spec: specOf(dataset, compression) });
    if (enabled === false) await this.schedules.pause(tx, key);
    if (enabled === true) await this.schedules.resume(tx, key);
  }
}

/** What an integration delivers stays: its consumers read one kind of line, from its beginning on. */
function datasetFaults(current: Integration, request: UpdateIntegrationRequest): FieldFault[] {
  const wanted = request.properties?.data?.[0];
  const delivered = datasetOf(typeOf(current), current.properties);
  if (wanted === undefined || wanted === delivered) return [];
  const message = `stays ["${delivered}"]: create an integration that delivers ${wanted}`;
  return [{ field: 'properties.data', message }];
}

/** The same for one that never was and for another organization's. */
export function noSuchIntegration(): ApiException {
  return notFound('There is no integration with this id in your organization.');
}

export function typeOf({ typeId }: Pick<Integration, 'typeId'>): IntegrationType {
  const type = INTEGRATION_TYPES.find((each) => each.typeId === typeId);
  if (type === undefined) throw new Error(`the type ${typeId} of an integration is not known to this version`);
  return type;
}

function changedMeanwhile(): ApiException {
  return new ApiException(
    409,
    'The integration was changed by somebody else meanwhile: look at it, then send the change again.',
  );
}
