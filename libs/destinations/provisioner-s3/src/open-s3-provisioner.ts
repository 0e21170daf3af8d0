import {
  DestinationError,
  throwIfAborted,
  type BucketProvisioner,
  type BucketRequest,
  type DriverDeps,
  type ProvisionedBucket,
} from '@delivery/destinations/driver';
import { AwsCalls } from './aws-calls';
import { allocateBucketName, MAX_BUCKET_NAME, roleNameOf } from './bucket-name';
import { configureBucket, deleteBucket, ensureBucketExists } from './bucket';
import { partitionOf } from './policies';
import { checkProvisionerOptions, type S3ProvisionerOptions } from './provisioner-options';
import { allowReading, deleteRole, ensureRole } from './role';

export interface ProvisionerDeps extends DriverDeps {
  /** Told when something that a failed call had made could not be removed; the next call for that name finds it. */
  onLeftBehind?: (what: 'bucket' | 'role', bucketName: string, error: unknown) => void;
}

export const DEFAULT_BUCKET_PREFIX = 'consent-exports';

/**
 * Opens the provisioner of buckets in the platform's own AWS account. Loads the AWS SDK, and asks STS for the account
 * unless it is given.
 *
 * Its identity needs, on buckets and roles that begin with the prefix: s3:CreateBucket, s3:DeleteBucket, s3:ListBucket,
 * s3:PutBucketPublicAccessBlock, s3:PutBucketOwnershipControls, s3:PutEncryptionConfiguration, s3:PutBucketPolicy,
 * s3:PutLifecycleConfiguration, s3:PutBucketRequestPayment, iam:CreateRole, iam:UpdateAssumeRolePolicy,
 * iam:PutRolePolicy, iam:DeleteRolePolicy, iam:DeleteRole.
 *
 * @throws DestinationError
 */
export async function openS3Provisioner(
  given: S3ProvisionerOptions,
  deps: ProvisionerDeps = {},
): Promise<S3Provisioner> {
  const options = checkProvisionerOptions(given);
  return new S3Provisioner(await AwsCalls.open(options, deps), options, deps);
}

export class S3Provisioner implements BucketProvisioner {
  constructor(
    private readonly calls: AwsCalls,
    private readonly options: S3ProvisionerOptions,
    private readonly deps: ProvisionerDeps,
  ) {}

  allocateBucketName(organizationId: string): string {
    return allocateBucketName(this.options.bucketPrefix ?? DEFAULT_BUCKET_PREFIX, organizationId);
  }

  async ensureBucket(request: BucketRequest): Promise<ProvisionedBucket> {
    const context = this.begin(request);
    const undo: { what: 'bucket' | 'role'; remove: () => Promise<void> }[] = [];
    // The caller's signal may be what made it fail.
    const cleaning = { ...context, signal: new AbortController().signal };
    try {
      if (await ensureBucketExists(context)) undo.push({ what: 'bucket', remove: () => deleteBucket(cleaning) });
      const warnings = await configureBucket(context);
      if (await ensureRole(context)) undo.push({ what: 'role', remove: () => deleteRole(cleaning) });
      await allowReading(context);
      return this.provisioned(request.bucketName, warnings);
    } catch (error) {
      for (const { what, remove } of undo.reverse()) {
        await remove().catch((failure: unknown) => this.deps.onLeftBehind?.(what, request.bucketName, failure));
      }
      throw error;
    }
  }

  async updateTrust(request: BucketRequest): Promise<ProvisionedBucket> {
    const context = this.begin(request);
    await ensureRole(context);
    await allowReading(context);
    return this.provisioned(request.bucketName, []);
  }

  async removeRole(bucketName: string, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await deleteRole({ calls: this.calls, bucketName, signal });
  }

  /** Releases connections. */
  async close(): Promise<void> {
    this.calls.close();
  }

  private begin({ bucketName, accountIds, signal }: BucketRequest) {
    throwIfAborted(signal);
    if (!/^[a-z0-9][a-z0-9-]+[a-z0-9]$/.test(bucketName) || bucketName.length > MAX_BUCKET_NAME) {
      throw new DestinationError('invalid_configuration', `"${bucketName}" is not a name from allocateBucketName.`);
    }
    const wrong = accountIds.filter((id) => !/^\d{12}$/.test(id));
    if (accountIds.length === 0 || wrong.length > 0) {
      const message = `An AWS account id has 12 digits (given: ${wrong.join(', ') || 'none'}). Correct account_id.`;
      throw new DestinationError('principal_invalid', message);
    }
    const { calls, options } = this;
    return { calls, options, partition: partitionOf(options.region), bucketName, accountIds, signal };
  }

  private provisioned(bucketName: string, warnings: string[]): ProvisionedBucket {
    const partition = partitionOf(this.options.region);
    const roleArn = `arn:${partition}:iam::${this.calls.accountId}:role/${roleNameOf(bucketName)}`;
    return { bucketName, roleArn, warnings };
  }
}
