import type { IncomingMessage } from 'node:http';
import { throwIfAborted, withRetries, type DriverDeps } from '@delivery/destinations/driver';
import {
  mapGcsError,
  mapSignInError,
  readRefusal,
  refusalError,
  type GcsErrorContext,
  type GcsOperation,
} from './gcs-errors';
import {
  checkGcsOptions,
  DEFAULT_REQUEST_TIMEOUT_MS,
  GOOGLE_ENDPOINT,
  type GcsDestinationOptions,
} from './gcs-options';
import { HttpConnections, type HttpAnswer, type HttpExchange } from './http-exchange';
import { within } from './within';

export interface GcsRequest extends Omit<HttpExchange, 'signal' | 'headers'> {
  operation: GcsOperation;
  headers?: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /** Statuses that are not failures. */
  expect: readonly number[];
  /** Throws when an answer with such a status cannot be the store's: the request is then sent again. */
  inspect?: (answer: HttpAnswer) => void;
  /** False for the URL of an upload session, which is its own authorization. */
  authorized?: boolean;
}

/**
 * The JSON API of one bucket: every request of the driver and the reader goes through `call`.
 *
 * The SDK signs in, but its requests take neither a signal nor a time limit of their own, its upload stream keeps the
 * session's id to itself, and a retry asks the session for its state, which some emulators take for the end of the
 * upload. So the requests are made here, and retried like those of the other drivers.
 */
export class GcsCalls {
  private readonly closing = new AbortController();
  private readonly connections: HttpConnections;
  private readonly timeoutMs: number;
  readonly endpoint: string;
  /** Memory of chunks that are done, for the next. */
  readonly freeParts: Buffer[] = [];

  private constructor(
    readonly options: GcsDestinationOptions,
    private readonly deps: DriverDeps,
    private readonly authorization: () => Promise<Record<string, string>>,
  ) {
    this.endpoint = (options.endpoint ?? GOOGLE_ENDPOINT).replace(/\/$/, '');
    this.timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.connections = new HttpConnections(this.timeoutMs);
  }

  static async open(given: GcsDestinationOptions, deps: DriverDeps): Promise<GcsCalls> {
    const options = checkGcsOptions(given);
    return new GcsCalls(options, deps, await authorizationOf(options));
  }

  /** The URL of the bucket's objects, or of one of them. */
  objectUrl(key?: string, query: Record<string, string> = {}): URL {
    const object = key === undefined ? '' : `/${encodeURIComponent(key)}`;
    return this.url(`/storage/v1/b/${encodeURIComponent(this.options.bucket)}/o${object}`, query);
  }

  /** The URL that upload sessions are begun at, and the URL of one session. */
  uploadUrl(query: Record<string, string>): URL {
    const path = `/upload/storage/v1/b/${encodeURIComponent(this.options.bucket)}/o`;
    return this.url(path, { uploadType: 'resumable', ...query });
  }

  /** Aborted by the caller's signal or by `close`. */
  signal(caller: AbortSignal): AbortSignal {
    const signal = AbortSignal.any([caller, this.closing.signal]);
    throwIfAborted(signal);
    return signal;
  }

  /** Sends one request and reads its answer, again if it failed for a passing reason. */
  async call(request: GcsRequest): Promise<HttpAnswer> {
    return this.retried(request, async (exchange) => {
      const answer = await this.connections.exchange(exchange);
      if (!request.expect.includes(answer.status)) {
        throw refusalError(readRefusal(answer.status, answer.body), this.context(request.operation));
      }
      request.inspect?.(answer);
      return answer;
    });
  }

  /** Sends one request whose answer is an object's bytes; `undefined` if its status is 404. */
  async stream(request: Omit<GcsRequest, 'expect' | 'inspect'>): Promise<IncomingMessage | undefined> {
    return this.retried({ ...request, expect: [200] }, async (exchange) => {
      const message = await this.connections.stream(exchange);
      if (message.statusCode === 200) return message;
      const chunks: Buffer[] = [];
      for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
      const refusal = readRefusal(message.statusCode ?? 0, Buffer.concat(chunks).toString());
      if (refusal.status === 404 && !namesBucket(refusal.message)) return undefined;
      throw refusalError(refusal, this.context(request.operation));
    });
  }

  context(operation: GcsOperation): GcsErrorContext {
    const { bucket, credentials } = this.options;
    const principal = credentials === 'anonymous-local' ? 'nobody' : credentials.client_email;
    return { operation, bucket, principal, endpoint: this.endpoint };
  }

  close(): void {
    this.closing.abort(new Error('the destination was closed'));
    this.connections.close();
  }

  private async retried<T>(request: GcsRequest, send: (exchange: HttpExchange) => Promise<T>): Promise<T> {
    const { operation, signal, method, url, body } = request;
    const attempt = async (): Promise<T> => {
      const authorization = request.authorized === false ? {} : await this.signIn(signal);
      try {
        const headers = { ...request.headers, ...authorization };
        return await send({ method, url, headers, signal, ...(body === undefined ? {} : { body }) });
      } catch (error) {
        throw mapGcsError(error, this.context(operation));
      }
    };
    return withRetries(attempt, { operation, signal, ...this.deps });
  }

  private async signIn(signal: AbortSignal): Promise<Record<string, string>> {
    try {
      return await within(this.authorization(), { ms: this.timeoutMs, signal });
    } catch (error) {
      throw mapSignInError(error, this.context('sign_in'));
    }
  }

  private url(path: string, query: Record<string, string>): URL {
    const url = new URL(path, this.endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }
}

/** Tells "The specified bucket does not exist." from "No such object: bucket/key". */
export function namesBucket(message: string): boolean {
  return /bucket does not exist/i.test(message);
}

/** Loads the Google SDK only if there is somebody to sign in. */
async function authorizationOf(options: GcsDestinationOptions): Promise<() => Promise<Record<string, string>>> {
  const { credentials, endpoint, projectId } = options;
  // A token of Google's must not be sent to another server.
  if (endpoint !== undefined || credentials === 'anonymous-local') return async () => ({});
  const { Storage } = await import('@google-cloud/storage');
  const { client_email, private_key } = credentials;
  const { authClient } = new Storage({
    projectId,
    credentials: { type: 'service_account', client_email, private_key },
  });
  return async () => Object.fromEntries(await authClient.getRequestHeaders());
}
