import type { Socket } from 'node:net';
import { KafkaConnection } from '../src/connection';
import type { openSocket } from '../src/kafka-client';

/** A way to the broker that a test can cut or freeze, as a broker that dies or hangs would. */
export class FaultyConnection extends KafkaConnection {
  private readonly sockets = new Set<Socket>();
  private down = false;
  private frozen = false;
  private lastAttempt = 0;

  /** Milliseconds since something last tried to connect. */
  get quietFor(): number {
    return Date.now() - this.lastAttempt;
  }

  get openSockets(): number {
    return this.sockets.size;
  }

  /** Resets all connections, answers on their way are lost; new ones still succeed. */
  cut(): void {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    for (const socket of this.sockets) socket.destroy(reset);
  }

  /** From now on nothing can be reached. */
  takeDown(): void {
    this.down = true;
    this.cut();
  }

  /** From now on requests arrive, but no answer comes back. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  restore(): void {
    this.down = false;
    this.frozen = false;
    for (const socket of this.sockets) socket.resume();
  }

  protected override openSocket(args: Parameters<typeof openSocket>[0]): Socket {
    this.lastAttempt = Date.now();
    const socket = super.openSocket(this.down ? { ...args, host: '127.0.0.1', port: 1 } : args);
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // kafkajs listens for data later, which starts the flow; the pause comes after that.
    if (this.frozen) setImmediate(() => socket.pause());
    return socket;
  }
}
