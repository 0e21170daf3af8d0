import { send } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Of each file that is being read: a thousand of them must not take more memory than ten. */
const CHUNK_BYTES = 32 * 1024;

export interface FileToServe {
  /** An absolute folder, of which nothing else is ever served. */
  readonly root: string;
  /** Below the root, with "/". */
  readonly path: string;
  /** Beside those of the file itself: length, type, ETag, Last-Modified, ranges. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ServedFile {
  readonly status: number;
  /** When the connection is done with it: bytes of the body that were read for it. */
  readonly sent: Promise<number>;
}

/**
 * Answers a request with a file: ranges, HEAD and conditions (RFC 9110) included, as fast as the client reads.
 * @returns undefined when there is no such file; nothing was answered then
 */
export async function serveFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { root, path, headers }: FileToServe,
): Promise<ServedFile | undefined> {
  const found = await send(request.raw, encodeURI(`/${path}`), {
    root,
    dotfiles: 'deny',
    index: false,
    cacheControl: false,
    highWaterMark: CHUNK_BYTES,
  });
  const { statusCode: status, stream } = found;
  if (status !== 416 && found.type !== 'file') {
    stream.destroy();
    return undefined;
  }
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const sent = new Promise<number>((resolve) => reply.raw.once('close', () => resolve(bytes)));
  void reply
    .status(status)
    .headers({ ...found.headers, ...headers })
    .send(status === 416 ? '' : stream);
  if (status === 416) stream.destroy();
  return { status, sent };
}
