import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a matching request. */
export type Fault =
  /** The store never sees the request; this answer is given instead. */
  | { kind: 'answer'; status: number; body?: string; headers?: Record<string, string> }
  /** The store never sees the request; the connection is reset. */
  | { kind: 'reset' }
  /** The store does the work, but its answer never arrives. */
  | { kind: 'answer_lost' }
  /** The store does the work; the connection breaks in the middle of its answer. */
  | { kind: 'answer_cut'; bytes: number }
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
  /** Resolves when so many requests are being held. */
  waitForHeld(count: number): Promise<void>;
  release(): void;
  close(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1 in front of an object store's HTTP endpoint. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const log: string[] = [];
  let rules: Rule[] = [];
  const held: (() => void)[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];

  const hold = (resume: () => void): void => {
    held.push(resume);
    for (const waiter of waiters) if (held.length >= waiter.count) waiter.resolve();
  };
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '' } = incoming;
    log.push(`${method} ${url}`);
    const rule = rules.find(({ times, matches }) => times > 0 && matches({ method, url }));
    if (rule !== undefined) rule.times -= 1;
    handle(target, { incoming, outgoing, fault: rule?.fault, hold });
  });
  const endpoint = await listen(server);
  return {
    endpoint,
    log,
    inject: (...next) => {
      rules = next.map((rule) => ({ ...rule }));
    },
    waitForHeld: (count) =>
      new Promise((resolve) => {
        if (held.length >= count) resolve();
        else waiters.push({ count, resolve });
      }),
    release: () => {
      rules = [];
      for (const resume of held.splice(0)) resume();
    },
    close: () => stop(server),
  };
}

interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  fault: Fault | undefined;
  hold: (resume: () => void) => void;
}

function handle(target: string, { incoming, outgoing, fault, hold }: Exchange): void {
  switch (fault?.kind) {
    case 'answer':
      // The request is read to its end first, or the client may see a reset instead of this answer.
      incoming.resume().on('end', () => outgoing.writeHead(fault.status, fault.headers).end(fault.body));
      return;
    case 'reset':
      reset(incoming.socket);
      return;
    case 'hold':
      hold(() => forward(target, { incoming, outgoing, fault }));
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
    outgoing.writeHead(answer.statusCode ?? 502, answerHeaders);
    if (fault?.kind === 'answer_cut') {
      answer.once('data', (chunk: Buffer) => {
        outgoing.write(chunk.subarray(0, fault.bytes), () => reset(incoming.socket));
      });
      return;
    }
    answer.pipe(outgoing);
  });
  upstream.on('error', () => reset(incoming.socket));
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
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
