import {
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@delivery/platform/testing';

/** What happens to a matching request. */
export type Fault =
  /** The store never sees the request; this answer is given instead. */
  | { kind: 'answer'; status: number; body?: string; headers?: Record<string, string> }
  /** The store never sees the whole request; the connection is reset, after so many bytes of its body. */
  | { kind: 'reset'; afterBytes?: number }
  /** The store never sees the request; what comes back is no HTTP. */
  | { kind: 'garbage' }
  /** The request's body trickles to the store. */
  | { kind: 'slow'; bytesPerSecond: number }
  /** The store does the work, but its answer never arrives. */
  | { kind: 'answer_lost' }
  /** The store does the work; the connection breaks in the middle of its answer. */
  | { kind: 'answer_cut'; bytes: number }
  /** The store does the work; its answer goes on for ever, a blank at a time, and is never silent for long. */
  | { kind: 'endless' }
  /** The store does the work; one header of its answer is replaced. */
  | { kind: 'header'; name: string; value: string }
  /** The request waits until `release`, then goes on to the store. */
  | { kind: 'hold' };

export interface Rule {
  fault: Fault;
  matches: (request: { method: string; url: string }) => boolean;
  /** How often the fault happens; afterwards requests pass. */
  times: number;
}

/** A store behind a network that fails on purpose; without rules everything passes. */
export interface FaultProxy {
  readonly endpoint: string;
  /** `METHOD url` of every request, in order. */
  readonly log: readonly string[];
  /** Replaces the rules; the first that matches and is not used up applies. */
  inject(...rules: Rule[]): void;
  /** Resolves when so many requests are being held. @throws when they are not after two minutes */
  waitForHeld(count: number): Promise<void>;
  release(): void;
  /** Requests that are held never reach the store, as if their sender had died in the middle; rules are over. */
  drop(): void;
  close(): Promise<void>;
}

const heldMs = 120_000;

/** Starts a proxy on 127.0.0.1 in front of an object store's HTTP endpoint. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const log: string[] = [];
  let rules: Rule[] = [];
  const held: Held[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '' } = incoming;
    log.push(`${method} ${url}`);
    const rule = rules.find(({ times, matches }) => times > 0 && matches({ method, url }));
    if (rule !== undefined) rule.times -= 1;
    handle(target, { incoming, outgoing, fault: rule?.fault, hold: (request) => held.push(request) });
  });
  const endpoint = await listen(server);
  return {
    endpoint,
    log,
    inject: (...next) => {
      rules = next.map((rule) => ({ ...rule }));
    },
    waitForHeld: async (count) => {
      const describe = `${count} requests to be held`;
      await waitFor(() => held.length >= count, { describe, timeoutMs: heldMs }).catch((error: Error) => {
        throw new Error(`${error.message}; ${held.length} are, and the last ones were ${log.slice(-5).join(', ')}`);
      });
    },
    release: () => {
      rules = [];
      for (const { go } of held.splice(0)) go();
    },
    drop: () => {
      rules = [];
      for (const { drop } of held.splice(0)) drop();
    },
    close: () => stop(server),
  };
}

interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  fault: Fault | undefined;
  hold: (request: Held) => void;
}

/** A request that waits for what becomes of it. */
interface Held {
  go: () => void;
  drop: () => void;
}

function handle(target: string, { incoming, outgoing, fault, hold }: Exchange): void {
  switch (fault?.kind) {
    case 'answer':
      // The request is read to its end first, or the client may see a reset instead of this answer.
      incoming.resume().on('end', () => outgoing.writeHead(fault.status, fault.headers).end(fault.body));
      return;
    case 'reset':
      resetAfter(fault.afterBytes ?? 0, incoming);
      return;
    case 'garbage':
      incoming
        .resume()
        .on('end', () => incoming.socket.end('\u0015\u0003\u0001 this is not what was asked for\r\n\r\n'));
      return;
    case 'hold':
      // Whoever gave up meanwhile sends nothing more: the store would wait for the rest.
      hold({
        go: () => outgoing.destroyed || forward(target, { incoming, outgoing, fault }),
        drop: () => reset(incoming.socket),
      });
      return;
    default:
      forward(target, { incoming, outgoing, fault });
  }
}

function forward(target: string, { incoming, outgoing, fault }: Omit<Exchange, 'hold'>): void {
  const { method, url = '', headers } = incoming;
  const upstream = request(new URL(url, target), { method, headers }, (answer) => {
    const answerHeaders = { ...answer.headers };
    if (fault?.kind === 'header') answerHeaders[fault.name.toLowerCase()] = fault.value;
    if (fault?.kind === 'answer_lost') {
      answer.resume().on('end', () => reset(incoming.socket));
      return;
    }
    if (fault?.kind === 'answer_cut') {
      const head = `HTTP/1.1 ${answer.statusCode ?? 502} Cut\r\ncontent-length: `;
      const sendBeginning = (body: Buffer): void => {
        const beginning = body.length === 0 ? head : `${head}${body.length}\r\n\r\n${body.toString('latin1')}`;
        const length = body.length === 0 ? head.length : beginning.length - body.length + fault.bytes;
        incoming.socket.write(beginning.slice(0, length), 'latin1', () =>
          setImmediate(() => incoming.socket.destroy()),
        );
      };
      answer.once('data', sendBeginning).once('end', () => answer.readableDidRead || sendBeginning(Buffer.alloc(0)));
      return;
    }
    if (fault?.kind === 'endless') return dripFor(outgoing, answer);
    outgoing.writeHead(answer.statusCode ?? 502, answerHeaders);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => reset(incoming.socket));
  outgoing.on('close', () => upstream.destroy());
  if (fault?.kind === 'slow') void trickle(incoming, upstream, fault.bytesPerSecond);
  else incoming.pipe(upstream);
}

/** Blanks before the answer's own bytes, which therefore never come: S3 does so while it completes an upload. */
function dripFor(outgoing: ServerResponse, answer: IncomingMessage): void {
  outgoing.writeHead(200, { 'content-type': 'application/xml' });
  const dripping = setInterval(() => outgoing.write(' '), 100);
  outgoing.on('close', () => clearInterval(dripping));
  answer.resume();
}

/** Until either side has had enough. */
async function trickle(from: IncomingMessage, to: ClientRequest, bytesPerSecond: number): Promise<void> {
  const closed = new AbortController();
  to.on('close', () => closed.abort());
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += bytesPerSecond) {
        to.write(chunk.subarray(at, at + bytesPerSecond));
        await delay(1000, undefined, { signal: closed.signal });
      }
    }
    to.end();
  } catch {
    to.destroy();
  }
}

function resetAfter(bytes: number, incoming: IncomingMessage): void {
  let seen = 0;
  if (bytes === 0) return reset(incoming.socket);
  const count = (chunk: Buffer): void => {
    seen += chunk.length;
    if (seen >= bytes) reset(incoming.socket);
  };
  incoming.on('data', count).on('end', () => reset(incoming.socket));
}

function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
