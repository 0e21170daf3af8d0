import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface StubRequest {
  method: string;
  /** Path with query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export type StubAnswer = { status: number; headers?: Record<string, string>; body?: string | Buffer };

/** A server that answers as a test tells it, for failures that no local object store can produce. */
export interface StubServer {
  readonly endpoint: string;
  readonly requests: readonly StubRequest[];
  close(): Promise<void>;
}

/** @param answer `undefined` leaves the request without an answer; `'reset'` breaks the connection */
export async function startStubServer(
  answer: (request: StubRequest) => StubAnswer | 'reset' | undefined,
): Promise<StubServer> {
  const requests: StubRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const received = { method, url, headers, body: Buffer.concat(chunks) };
      requests.push(received);
      const given = answer(received);
      if (given === 'reset') incoming.socket.resetAndDestroy();
      else if (given !== undefined) outgoing.writeHead(given.status, given.headers).end(given.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stub has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
