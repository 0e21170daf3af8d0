/** A bucket that belongs to the platform and the role through which one customer reads it. */
export interface ProvisionedBucket {
  bucketName: string;
  /** `arn:aws:iam::<the platform's 12-digit account>:role/<bucket>-role` (contracts.md D-2). */
  roleArn: string;
  /** Sentences for the owner about what was accepted but looks wrong. */
  warnings: string[];
}

export interface BucketRequest {
  organizationId: string;
  /** From `allocateBucketName`, stored by the caller before the first call. */
  bucketName: string;
  /** The customer's accounts whose principals may assume the role; at least one. */
  accountIds: readonly string[];
  signal: AbortSignal;
}

/**
 * Creates buckets owned by the platform, one per organization, and the role each customer reads his with.
 *
 * Every method may be repeated: a name is allocated and stored by the caller first, and the same call again finds what
 * the last one made and completes it. Every rejection is a `DestinationError`.
 * Calls for one bucket must not overlap; calls for different buckets may.
 */
export interface BucketProvisioner {
  /** A new, globally unlikely name; pure, creates nothing. */
  allocateBucketName(organizationId: string): string;
  /**
   * Makes the bucket and the role, or completes and repairs them if they exist. If it fails, what this very call
   * created is removed again; what existed before stays.
   */
  ensureBucket(request: BucketRequest): Promise<ProvisionedBucket>;
  /** Replaces the accounts that may assume the role. */
  updateTrust(request: BucketRequest): Promise<ProvisionedBucket>;
  /** Removes the role; the bucket and what was delivered stay until their lifecycle ends. An absent role is fine. */
  removeRole(bucketName: string, signal: AbortSignal): Promise<void>;
}
