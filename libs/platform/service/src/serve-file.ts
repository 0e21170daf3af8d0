import { type FileHandle, open } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { byteRange, type ByteRange } from './byte-range';
import { evaluateConditions } from './preconditions';

/** Of each file that is being read: a thousand of them must not take more memory than ten. */
const CHUNK_BYTES = 32 * 1024;
/** A client that has taken nothing for so long has gone, and nobody has told. */
const STALLED_MS = 60_000;
/** As slow as the slowest modem: whoever takes less than that for more than a minute holds a place that others need. */
const LEAST_BYTES_PER_SECOND = 4096;
/** Whoever was fast may rest, but not for hours. */
const MAX_CREDIT_BYTES = 4 * 1024 * 1024;

export interface FileToServe {
  /** An absolute folder, of which nothing else is ever served. */
  readonly root: string;
  /** Below the root, with "/". */
  readonly path: string;
  /** How long it must be: anything else is not the file that is meant. */
  readonly bytes: number;
  /** Strong, in quotes: the same for the same bytes only. */
  readonly etag: string;
  /** Beside those of the file itself: length, ranges. */
  readonly headers: Readonly<Record<string, string>>;
  /** Called with the status before anything is answered; when it throws, nothing is. */
  readonly begin?: (status: number) => Promise<void>;
  readonly stalledMs?: number;
  readonly leastBytesPerSecond?: number;
}

/** How an answer ended. */
export interface FileSent {
  /** Of the body: how many were read for it. */
  readonly bytes: number;
  /** Why the file could not be read to its end; a client that left is no failure. */
  readonly failed?: unknown;
}

export interface ServedFile {
  readonly status: number;
  /** When the answer is out, or its client is gone. Never rejects. */
  readonly sent: Promise<FileSent>;
}

/**
 * Answers a request with a file: ranges, HEAD and conditions (RFC 9110) included, as fast as the client reads.
 * @returns undefined when there is no such file; nothing was answered then
 * @throws what the file system says of a file that is there and cannot be read; Error when it has another length; what
 * `begin` throws
 */
export async function serveFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: FileToServe,
): Promise<ServedFile | undefined> {
  const { bytes, etag, begin = async () => undefined } = file;
  const described = { ...file.headers, etag, 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff' };
  const conditions = evaluateConditions(request.raw.headers, etag);
  if (typeof conditions === 'number') {
    await begin(conditions);
    return bodiless(reply, conditions, described);
  }
  const handle = await openFile(file);
  if (handle === undefined) return undefined;
  // Range is of GET only (RFC 9110 §14.2).
  const ranged = conditions === 'part' && request.method === 'GET';
  const part = ranged ? byteRange(request.headers.range, bytes) : undefined;
  const status = part === undefined ? 200 : part === 'unsatisfiable' ? 416 : 206;
  try {
    await begin(status);
  } catch (error) {
    await handle.close();
    throw error;
  }
  if (part === 'unsatisfiable') {
    await handle.close();
    return bodiless(reply, status, { ...described, 'content-range': `bytes */${bytes}` });
  }
  const sent = part ?? { start: 0, end: bytes - 1 };
  const length = sent.end - sent.start + 1;
  reply.headers({
    ...described,
    'content-length': String(length),
    ...(part && { 'content-range': `bytes ${part.start}-${part.end}/${bytes}` }),
  });
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
  reply.raw.writeHead(status);
  if (request.method !== 'HEAD' && length > 0) return { status, sent: stream(handle, sent, reply, file) };
  await handle.close();
  reply.raw.end();
  return { status, sent: Promise.resolve({ bytes: 0 }) };
}

/** @returns undefined when there is no such file below the root */
async function openFile({ root, path, bytes }: FileToServe): Promise<FileHandle | undefined> {
  const at = resolve(root, path);
  if (!at.startsWith(resolve(root) + sep)) return undefined;
  let handle: FileHandle;
  try {
    handle = await open(at, 'r');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (stat.isFile() && stat.size === bytes) return handle;
    if (stat.isFile()) throw new Error(`${path} has ${stat.size} bytes, and should have ${bytes}`);
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

function isAbsence(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

function bodiless(reply: FastifyReply, status: number, headers: Record<string, string>): ServedFile {
  const about = Object.entries(headers).filter(([name]) => name === 'content-range' || !name.startsWith('content-'));
  void reply.status(status).headers(Object.fromEntries(about)).send();
  return { status, sent: Promise.resolve({ bytes: 0 }) };
}

/** A client may be gone already, and then nothing more is told of it: that is an end, too. */
async function stream(
  handle: FileHandle,
  { start, end }: ByteRange,
  { raw }: FastifyReply,
  file: FileToServe,
): Promise<FileSent> {
  let bytes = 0;
  let failed: unknown;
  const read = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of handle.createReadStream({ start, end, highWaterMark: CHUNK_BYTES })) {
        bytes += chunk.length;
        yield chunk;
      }
      if (bytes <= end - start) throw new Error(`${file.path} became shorter while it was read`);
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  raw.setTimeout(file.stalledMs ?? STALLED_MS);
  const watch = cutOffSlow(raw, () => bytes, file);
  // A part of the promised length is out: that the connection ends tells the client that something is missing.
  await pipeline(read, raw).catch(() => raw.destroy());
  clearInterval(watch);
  // Also when the client had gone before anything was read.
  await handle.close().catch(() => undefined);
  return { bytes, ...(failed !== undefined && { failed }) };
}

function cutOffSlow(
  raw: FastifyReply['raw'],
  taken: () => number,
  { stalledMs = STALLED_MS, leastBytesPerSecond = LEAST_BYTES_PER_SECOND }: FileToServe,
): NodeJS.Timeout {
  let credit = (leastBytesPerSecond * stalledMs) / 1000;
  const most = Math.max(credit, MAX_CREDIT_BYTES);
  const step = credit / 4;
  let seen = 0;
  return setInterval(() => {
    const bytes = taken();
    credit = Math.min(credit + bytes - seen, most) - step;
    seen = bytes;
    if (credit < 0) raw.destroy();
  }, stalledMs / 4);
}
