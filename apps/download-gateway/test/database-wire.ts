import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network before the database, from which it can be taken away while tests go on reading it. */
export class DatabaseWire {
  private readonly sockets = new Set<Socket>();
  private away = false;
  private readonly server = createServer((client) => {
    if (this.away) return void client.resetAndDestroy();
    const upstream = connect(Number(this.target.port), this.target.hostname);
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket) && other.destroy());
      socket.pipe(other);
    }
  });

  private constructor(private readonly target: URL) {}

  static async open(url: string): Promise<DatabaseWire> {
    const wire = new DatabaseWire(new URL(url));
    wire.server.listen(0, '127.0.0.1');
    await once(wire.server, 'listening');
    return wire;
  }

  /** The database's, by way of this. */
  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return Object.assign(new URL(this.target), { host: `127.0.0.1:${port}` }).href;
  }

  cut(): void {
    this.away = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.away = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
