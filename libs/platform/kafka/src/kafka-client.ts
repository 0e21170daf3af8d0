import { connect as connectTcp, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, type ISocketFactory, type ISocketFactoryArgs, type KafkaConfig as ClientConfig } from 'kafkajs';

const keepAliveMs = 60_000;

/** Why a connection ends that we end ourselves. */
const clientClosed = 'this client was closed';

/** As kafkajs does it, but that the end of a request does not wait until the broker has confirmed its beginning. */
export function openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
}

/**
 * A kafkajs client that can be ended for good. Disconnecting does not end a producer or consumer that is connecting or
 * repeating a request at that moment: it connects again and its sockets stay open for ever.
 */
export class KafkaClient {
  readonly kafka: Kafka;
  private readonly sockets = new Set<Socket>();
  private severed = false;

  constructor(
    config: ClientConfig,
    private readonly open: typeof openSocket,
  ) {
    this.kafka = new Kafka({ ...config, socketFactory: this.socketFactory });
  }

  /** Ends all connections without ceremony; what still asks for one gets an error. */
  sever(): void {
    this.severed = true;
    // kafkajs listens for the end and for errors, not for the close: without an error it would wait for its time-outs.
    for (const socket of this.sockets) socket.destroy(closed());
  }

  private readonly socketFactory: ISocketFactory = (args) => {
    if (this.severed) {
      const refused = new Socket().on('error', ignore);
      process.nextTick(() => refused.destroy(closed()));
      return refused;
    }
    const socket = this.open(args);
    this.sockets.add(socket);
    socket.on('error', ignore); // kafkajs takes its own listener off when it disconnects
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };
}

/** Nobody's fault, and often: without a stack, for kafkajs reads it, and to tell its lines the source map is parsed. */
function closed(): Error {
  return Object.assign(new Error(clientClosed), { stack: clientClosed });
}

function ignore(): void {}
