import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { withinTime, withRetries, type DriverDeps } from '@delivery/destinations/driver';
import { roleProvider } from './s3-credentials';
import { mapS3Error, type S3Operation } from './s3-errors';
import { checkS3Options, DEFAULT_REQUEST_TIMEOUT_MS, principalOf, type S3DestinationOptions } from './s3-options';

type S3Sdk = typeof import('@aws-sdk/client-s3');

interface Http {
  abortSignal: AbortSignal;
}

/** The bucket every request names, with what the owner's account or the operator asked for. */
interface Target {
  Bucket: string;
  RequestPayer?: 'requester';
  ExpectedBucketOwner?: string;
}

/** The S3 client of one bucket: every request of the driver and the reader goes through `call`. */
export class S3Calls {
  readonly target: Target;
  /** Memory of parts that are done, for the next. */
  readonly freeParts: Buffer[] = [];
  private readonly closing = new AbortController();

  private constructor(
    /** The SDK's commands; loaded on the first `open`. */
    readonly sdk: S3Sdk,
    readonly client: S3Client,
    readonly options: S3DestinationOptions,
    private readonly deps: DriverDeps,
    private readonly closeCredentials: () => void,
  ) {
    this.target = {
      Bucket: options.bucket,
      ...(options.requesterPays === true ? { RequestPayer: 'requester' } : {}),
      ...(options.expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: options.expectedBucketOwner }),
    };
  }

  static async open(given: S3DestinationOptions, deps: DriverDeps): Promise<S3Calls> {
    const options = checkS3Options(given);
    const sdk = await import('@aws-sdk/client-s3');
    const { credentials, close } = credentialsOf(options);
    const client = new sdk.S3Client({
      ...clientConfig(options),
      ...(credentials === undefined ? {} : { credentials }),
    });
    return new S3Calls(sdk, client, options, deps, close);
  }

  /** Aborted by the caller's signal or by `close`. */
  signal(caller: AbortSignal): AbortSignal {
    return AbortSignal.any([caller, this.closing.signal]);
  }

  /**
   * Sends one request, again if it failed for a passing reason.
   *
   * @param send must give `http` to the SDK, or `timed` if the answer must not be lost even if the caller gives up
   */
  async call<T>(
    operation: S3Operation,
    signal: AbortSignal,
    send: (client: S3Client, http: Http, timed: Http) => Promise<T>,
  ): Promise<T> {
    const attempt = async (): Promise<T> => {
      try {
        return await withinTime(this.options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS, (limit) =>
          send(this.client, { abortSignal: AbortSignal.any([signal, limit]) }, { abortSignal: limit }),
        );
      } catch (error) {
        throw this.mapped(operation, error);
      }
    };
    return withRetries(attempt, { operation, signal, ...this.deps });
  }

  mapped(operation: S3Operation, error: unknown): ReturnType<typeof mapS3Error> {
    const { bucket, region, credentials, endpoint } = this.options;
    const context = { operation, bucket, region, principal: principalOf(credentials), endpoint: endpoint ?? 'AWS S3' };
    return mapS3Error(error, context);
  }

  close(): void {
    this.closing.abort(new Error('the destination was closed'));
    this.client.destroy();
    this.closeCredentials();
  }
}

function clientConfig(options: S3DestinationOptions): S3ClientConfig {
  return {
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    forcePathStyle: options.forcePathStyle ?? false,
    // One retry policy for all drivers: ours, which knows the codes and the caller's signal.
    maxAttempts: 1,
    // A 100-continue handshake opens a new connection for every part.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
      socketTimeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  };
}

function credentialsOf(options: S3DestinationOptions): {
  credentials?: NonNullable<S3ClientConfig['credentials']>;
  close: () => void;
} {
  const nothing = (): void => undefined;
  switch (options.credentials.kind) {
    case 'platform':
      return { close: nothing };
    case 'keys': {
      const { accessKeyId, secretAccessKey } = options.credentials;
      return { credentials: { accessKeyId, secretAccessKey }, close: nothing };
    }
    case 'role': {
      const { provide, close } = roleProvider(options, options.credentials);
      return { credentials: provide, close };
    }
  }
}
