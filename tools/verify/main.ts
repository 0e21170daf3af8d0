import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import { parseArgs } from 'node:util';
import { DestinationError } from '@delivery/destinations/driver';
import { ConfigError, loadConfig } from '@delivery/platform/config';
import { publicKeyId, verifySignature } from '@delivery/platform/secrets';
import { ensureStack } from '../stack';
import { parseBucketUrl, UsageError } from './bucket-url';
import { openBucket } from './open-bucket';
import { report } from './report';
import { VerifyConfig } from './verify.config';
import { verifyBucket, type VerifyDeps } from './verify-bucket';

const HELP = `Checks deliveries against their signed manifests. Needs the bucket and a public key, and nothing of the platform.

  npm run verify -- s3://bucket/prefix     gs://bucket/prefix     file:///folder

  --public-key <base64>  the key that manifests are signed with (again for further ones); or MANIFEST_PUBLIC_KEY
  --local                the buckets and the key of the local stack
  --json                 the verdict as one JSON object

Of every run: _SUCCESS, the manifest's signature, each file's bytes, lines and SHA-256, files that belong to no manifest.
Of every export: each manifest names the one before with its hash, and the windows neither overlap nor leave a gap.
A run that was not delivered yet, or a predecessor that has expired, is a note.

S3:  AWS_REGION, and credentials where AWS looks for them or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
GCS: GOOGLE_APPLICATION_CREDENTIALS

Exit code 0: verified. 1: something differs. 2: it could not be verified.
`;

async function main(args: string[]): Promise<number> {
  const { url, json, local, publicKeys } = readArguments(args);
  if (url === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const place = parseBucketUrl(url);
  const environment = local ? { ...(await ensureStack({ progress: say })), ...process.env } : process.env;
  const config = loadConfig(VerifyConfig, environment);
  const keys = trustedKeys([...publicKeys, ...config.publicKeys]);
  const reader = await openBucket(place, config);
  try {
    const deps: VerifyDeps = {
      reader,
      signal: new AbortController().signal,
      verifySignature: (input, { key_id, value }) => {
        const key = keys.get(key_id);
        if (key === undefined) return 'unknown_key';
        return verifySignature(key, input, value) ? 'valid' : 'invalid';
      },
      ...(json ? {} : { onRead: (key: string) => say(`reading ${key}`) }),
    };
    const verdict = await verifyBucket(deps, place.kind === 'file' ? '' : place.prefix);
    process.stdout.write(json ? `${JSON.stringify({ url, ...verdict })}\n` : report(url, verdict));
    return verdict.verified ? 0 : 1;
  } finally {
    await reader.close();
  }
}

function readArguments(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        local: { type: 'boolean', default: false },
        'public-key': { type: 'string', multiple: true, default: [] },
      },
    });
    if (positionals.length > 1) throw new UsageError('Give one bucket.');
    const [url] = positionals;
    if (url === undefined && !values.help) throw new UsageError('Give a bucket.');
    return {
      url: values.help ? undefined : url,
      json: values.json,
      local: values.local,
      publicKeys: values['public-key'],
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function trustedKeys(publicKeys: readonly string[]): ReadonlyMap<string, string> {
  if (publicKeys.length === 0) {
    throw new UsageError('Give the key that manifests are signed with: --public-key, or MANIFEST_PUBLIC_KEY.');
  }
  const wrong = publicKeys.find((key) => !isEd25519(key));
  if (wrong !== undefined)
    throw new UsageError(`"${wrong}" is no public key: give base64 of Ed25519 in SPKI DER form.`);
  return new Map(publicKeys.map((key) => [publicKeyId(key), key]));
}

function isEd25519(key: string): boolean {
  try {
    const parsed = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    return parsed.asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

// Whatever ends this process before there is a verdict, its exit code must not say "verified".
process.exitCode = 2;
main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const told = error instanceof UsageError || error instanceof DestinationError || error instanceof ConfigError;
    say(told ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (error instanceof UsageError) say('Try: npm run verify -- --help');
    process.exitCode = 2;
  },
);
