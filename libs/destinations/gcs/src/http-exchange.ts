import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface HttpExchange {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers that are not objects are metadata or errors; a page of 1,000 listed objects has about 400 kB. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * HTTP/1.1 with kept connections, a time limit and a signal per request, and nothing else: no redirects, no
 * decompression (an object's stored bytes are what is wanted), no retries.
 */
export class HttpConnections {
  private readonly http = new HttpAgent({ keepAlive: true });
  private readonly https = new HttpsAgent({ keepAlive: true });

  constructor(private readonly timeoutMs: number) {}

  /** Sends a request and reads its whole answer within the time limit. */
  async exchange(exchange: HttpExchange): Promise<HttpAnswer> {
    const { message, timer } = await this.begin(exchange);
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of message as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength;
        if (bytes > MAX_BODY_BYTES) throw new Error('the answer is longer than any that is expected');
        chunks.push(chunk);
      }
      return { status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks).toString() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request and leaves its answer to be read; from then on the limit is on silence, not on the whole. */
  async stream(exchange: HttpExchange): Promise<IncomingMessage> {
    const { message, timer } = await this.begin(exchange);
    clearTimeout(timer);
    const { socket } = message;
    const onSilence = (): void => void message.destroy(timeoutError());
    socket.setTimeout(this.timeoutMs).on('timeout', onSilence);
    // The socket is kept for further requests.
    message.on('close', () => socket.setTimeout(0).off('timeout', onSilence));
    return message;
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  private begin(exchange: HttpExchange): Promise<{ message: IncomingMessage; timer: NodeJS.Timeout }> {
    const { method, url, body, signal } = exchange;
    const headers = { ...exchange.headers, 'content-length': String(body?.byteLength ?? 0) };
    const secure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const send = secure ? httpsRequest : httpRequest;
      const request = send(url, { method, headers, signal, agent: secure ? this.https : this.http });
      const timer = setTimeout(() => request.destroy(timeoutError()), this.timeoutMs);
      request.on('response', (message) => resolve({ message, timer }));
      request.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      request.end(body);
    });
  }
}

function timeoutError(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}
