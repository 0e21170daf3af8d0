/** Where the local stack's S3, STS and IAM answer. */
export interface LocalS3 {
  endpoint: string;
  iamEndpoint: string;
  stsEndpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** @throws Error naming the command that starts the stack */
export function localS3(env: NodeJS.ProcessEnv = process.env): LocalS3 {
  const endpoint = required(env, 'S3_ENDPOINT');
  return {
    endpoint,
    iamEndpoint: env['IAM_ENDPOINT'] ?? endpoint,
    stsEndpoint: env['STS_ENDPOINT'] ?? endpoint,
    region: env['AWS_REGION'] ?? 'us-east-1',
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? 'local',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? 'local-secret',
  };
}

/** @throws Error naming the command that starts the stack */
export function localGcs(env: NodeJS.ProcessEnv = process.env): { endpoint: string } {
  return { endpoint: required(env, 'GCS_ENDPOINT') };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new Error(
      `${name} is not set: start the local stack with "npm run stack -- up", then set what "npm run stack -- env" prints.`,
    );
  }
  return value;
}
