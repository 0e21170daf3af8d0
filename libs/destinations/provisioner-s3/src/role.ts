import type { AwsCalls } from './aws-calls';
import { roleNameOf } from './bucket-name';
import { readPolicy, trustPolicy } from './policies';

const POLICY_NAME = 'read-exports';

interface RoleContext {
  calls: AwsCalls;
  partition: string;
  bucketName: string;
  signal: AbortSignal;
}

/** Makes the role or replaces its trust, and sets what it may read. @returns whether this call made it */
export async function ensureRole(context: RoleContext & { accountIds: readonly string[] }): Promise<boolean> {
  const { calls, partition, bucketName, signal, accountIds } = context;
  const sdk = calls.iamSdk;
  const RoleName = roleNameOf(bucketName);
  const trust = trustPolicy(partition, accountIds);
  const create = new sdk.CreateRoleCommand({
    RoleName,
    AssumeRolePolicyDocument: trust,
    Description: `Reads the exports in ${bucketName}`,
  });
  const created = await calls.iam({ action: 'iam:CreateRole', bucketName, signal }, async (iam, http) => {
    try {
      await iam.send(create, http);
      return true;
    } catch (error) {
      if (error instanceof sdk.EntityAlreadyExistsException) return false;
      throw error;
    }
  });
  if (!created) {
    const update = new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust });
    const call = { action: 'iam:UpdateAssumeRolePolicy', bucketName, signal };
    await calls.iam(call, (iam, http) => iam.send(update, http));
  }
  return created;
}

/** Lets the role read the bucket and nothing else. */
export async function allowReading({ calls, partition, bucketName, signal }: RoleContext): Promise<void> {
  const command = new calls.iamSdk.PutRolePolicyCommand({
    RoleName: roleNameOf(bucketName),
    PolicyName: POLICY_NAME,
    PolicyDocument: readPolicy(partition, bucketName),
  });
  await calls.iam({ action: 'iam:PutRolePolicy', bucketName, signal }, (iam, http) => iam.send(command, http));
}

/** Removes the role with its policy; what is absent already is fine. */
export async function deleteRole({ calls, bucketName, signal }: Omit<RoleContext, 'partition'>): Promise<void> {
  const { DeleteRolePolicyCommand, DeleteRoleCommand, NoSuchEntityException } = calls.iamSdk;
  const RoleName = roleNameOf(bucketName);
  const unlessAbsent = async (removal: Promise<unknown>): Promise<void> => {
    try {
      await removal;
    } catch (error) {
      if (!(error instanceof NoSuchEntityException)) throw error;
    }
  };
  const policy = new DeleteRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME });
  await calls.iam({ action: 'iam:DeleteRolePolicy', bucketName, signal }, (iam, http) =>
    unlessAbsent(iam.send(policy, http)),
  );
  const role = new DeleteRoleCommand({ RoleName });
  await calls.iam({ action: 'iam:DeleteRole', bucketName, signal }, (iam, http) => unlessAbsent(iam.send(role, http)));
}
