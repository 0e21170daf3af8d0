import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { send } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { evaluateConditions } from './preconditions';

/** Of each file that is being read: a thousand of them must not take more memory than ten. */
const CHUNK_BYTES = 32 * 1024;
/** A client that has taken nothing for so long has gone, and nobody has told. */
const STALLED_MS = 60_000;

export interface FileToServe {
  /** An absolute folder, of which nothing else is ever served. */
  readonly root: string;
  /** Below the root, with "/". */
  readonly path: string;
  /** How long it must be: anything else is not the file that is meant. */
  readonly bytes: number;
  /** Strong, in quotes: the same for the same bytes only. */
  readonly etag: string;
  /** Beside those of the file itself: length, type, Last-Modified, ranges. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stalledMs?: number;
}

export interface ServedFile {
  readonly status: number;
  /** When the answer is out, or its client is gone: bytes of the body that were read for it. Never rejects. */
  readonly sent: Promise<number>;
}

/**
 * Answers a request with a file: ranges, HEAD and conditions (RFC 9110) included, as fast as the client reads.
 * @returns undefined when there is no such file; nothing was answered then
 * @throws what the file system says of a file that is there and cannot be read; Error when it has another length
 */
export async function serveFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { root, path, bytes, etag, headers, stalledMs = STALLED_MS }: FileToServe,
): Promise<ServedFile | undefined> {
  const conditions = evaluateConditions(request.raw.headers, etag);
  const described = { ...headers, etag, 'x-content-type-options': 'nosniff' };
  if (typeof conditions === 'number') return bodiless(reply, conditions, described);
  const found = await send(
    Object.assign(Readable.from([]), { method: request.method, headers: withoutLongSuffix(conditions, bytes) }),
    pathOf(path),
    {
      root,
      dotfiles: 'deny',
      index: false,
      cacheControl: false,
      etag: false,
      highWaterMark: CHUNK_BYTES,
    },
  );
  const { statusCode: status, stream } = found;
  if (found.type === 'file') {
    const { size } = found.metadata.stat;
    if (size !== bytes) {
      stream.destroy();
      throw new Error(`${path} has ${size} bytes, and should have ${bytes}`);
    }
    reply.raw.setTimeout(stalledMs);
    const sent = countedUntilSent(stream, reply);
    void reply
      .status(status)
      .headers({ ...found.headers, ...described })
      .send(stream);
    return { status, sent };
  }
  stream.destroy();
  if (status === 412) return bodiless(reply, status, described);
  if (status === 416) return bodiless(reply, status, { ...described, 'content-range': found.headers['Content-Range'] });
  if (found.type === 'error' && status >= 500) throw found.metadata.error;
  return undefined;
}

/** A suffix longer than the file means all of it (RFC 9110 §14.1.2); @fastify/send takes it for one that is not there. */
function withoutLongSuffix({ range, ...others }: IncomingHttpHeaders, bytes: number): IncomingHttpHeaders {
  const [, suffix] = /^bytes=-(\d+)$/.exec(range ?? '') ?? [];
  return range === undefined || Number(suffix) >= bytes ? others : { ...others, range };
}

function pathOf(path: string): string {
  return encodeURI(`/${path}`);
}

function bodiless(reply: FastifyReply, status: number, headers: Record<string, string | undefined>): ServedFile {
  const about = Object.entries(headers).filter(([name]) => name === 'content-range' || !name.startsWith('content-'));
  void reply.status(status).headers(Object.fromEntries(about)).send();
  return { status, sent: Promise.resolve(0) };
}

/** A client may be gone already, and then nothing more is told of it: that is an end, too. */
async function countedUntilSent(stream: Readable, reply: FastifyReply): Promise<number> {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await finished(reply.raw).catch(() => undefined);
  return bytes;
}
