import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the network does to all connections, those that are open and those that follow. */
export type TcpFault =
  /** New connections are reset at once. */
  | { kind: 'refuse' }
  /** Nothing passes any more, and nobody is told; what was under way goes on when it heals. */
  | { kind: 'black_hole' }
  /** The server's side is gone, and the client is never told: a firewall that forgot the connection. */
  | { kind: 'half_open' }
  /** Each direction of each connection passes so many bytes a second. */
  | { kind: 'trickle'; bytesPerSecond: number }
  /** Each connection is reset after so many further bytes of answers. */
  | { kind: 'truncate'; bytes: number };

/** One client's connection and the proxy's own to the server. */
interface Pair {
  client: Socket;
  upstream: Socket;
  /** Bytes of answers since the last fault began. */
  answered: number;
  /** Set when nothing can pass any more. */
  closed: AbortSignal;
}

const trickleMs = 50;

/** A network before one server that fails on purpose; without a fault everything passes. */
export class TcpProxy {
  private fault: TcpFault | undefined;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly pairs = new Set<Pair>();
  private readonly server = createServer((client) => this.accept(client));

  private constructor(private target: number) {}

  /** @param target port of the server on the loopback interface; may be told later with {@link to} */
  static async open(target = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Open connections. */
  get connections(): number {
    return this.pairs.size;
  }

  to(target: number): void {
    this.target = target;
  }

  /** From now on; replaces the fault before it. */
  break(fault: TcpFault): void {
    this.fault = fault;
    for (const pair of this.pairs) {
      pair.answered = 0;
      if (fault.kind === 'half_open') pair.upstream.destroy();
    }
    this.changes.emit('change');
  }

  /** Everything passes again; connections that were broken stay so. */
  heal(): void {
    this.fault = undefined;
    this.changes.emit('change');
  }

  /** Resets every open connection. @returns how many there were */
  reset(): number {
    const open = [...this.pairs];
    for (const { client, upstream } of open) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    return open.length;
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined); // it is closed then
    if (this.fault?.kind === 'refuse') return void client.resetAndDestroy();
    const upstream = connect(this.target, '127.0.0.1');
    upstream.on('error', () => undefined);
    const closed = new AbortController();
    const pair: Pair = { client, upstream, answered: 0, closed: closed.signal };
    this.pairs.add(pair);
    client.once('close', () => {
      closed.abort();
      this.pairs.delete(pair);
      upstream.destroy();
    });
    upstream.once('close', (broken) => {
      if (broken && this.fault?.kind !== 'half_open') client.resetAndDestroy();
    });
    void this.pump(client, upstream, pair);
    void this.pump(upstream, client, pair);
    if (this.fault?.kind === 'half_open') upstream.destroy();
  }

  private async pump(from: Socket, to: Socket, pair: Pair): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await this.pass(chunk, to, pair);
      }
      to.end();
    } catch {
      // reset by one of the two, whose closing tells the other
    }
  }

  private async pass(chunk: Buffer, to: Socket, pair: Pair): Promise<void> {
    for (let at = 0; at < chunk.length && !to.destroyed;) {
      while (this.fault?.kind === 'black_hole') await once(this.changes, 'change', { signal: pair.closed });
      const rate = this.fault?.kind === 'trickle' ? this.fault.bytesPerSecond : Infinity;
      const piece = this.cut(chunk.subarray(at, at + Math.ceil((rate * trickleMs) / 1000)), to, pair);
      if (piece.length === 0) return void to.resetAndDestroy();
      at += piece.length;
      if (!to.write(piece)) await once(to, 'drain', { signal: pair.closed });
      if (rate !== Infinity) await delay(trickleMs, undefined, { signal: pair.closed });
    }
  }

  /** What of a piece may pass; nothing where the connection is to break. */
  private cut(piece: Buffer, to: Socket, pair: Pair): Buffer {
    if (this.fault?.kind !== 'truncate' || to !== pair.client) return piece;
    const left = Math.max(0, this.fault.bytes - pair.answered);
    pair.answered += piece.length;
    return piece.subarray(0, left);
  }
}
