import type { RawPartition, RawRecord } from 'kafkajs/src/broker';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import Connection from 'kafkajs/src/network/connection';
import { isHidden, markHidden } from './kafkajs-repairs';

const abort = Buffer.from([0, 0, 0, 0]);
const commit = Buffer.from([0, 0, 0, 1]);

let offset = 0;
const record = (producerId: string, inTransaction = true, key: Buffer = Buffer.from('k')): RawRecord => ({
  offset: String(offset++),
  key,
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
const marker = (producerId: string, key: Buffer): RawRecord => ({
  ...record(producerId, true, key),
  isControlRecord: true,
});

/** @returns offsets that stay visible. */
function visible(messages: RawRecord[], abortedTransactions: RawPartition['abortedTransactions'] = []): string[] {
  const partition = { partition: 0, messages, abortedTransactions };
  markHidden(partition);
  expect(partition.abortedTransactions).toEqual([]);
  expect(messages.every(({ isControlRecord }) => !isControlRecord)).toBe(true);
  return messages.filter((message) => !isHidden(message)).map((message) => message.offset);
}

describe('markHidden', () => {
  beforeEach(() => {
    offset = 0;
  });

  it('hides nothing but markers when nothing was aborted', () => {
    expect(visible([record('a', false), record('a'), marker('a', commit), record('b')])).toEqual(['0', '1', '3']);
  });

  it('hides an aborted transaction up to its marker, and not the next one of the producer', () => {
    const messages = [record('a'), record('a'), marker('a', abort), record('a'), marker('a', commit)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['3']);
  });

  it('takes the list of aborted transactions in the order in which they ended', () => {
    // b began later and ended first
    const messages = [
      record('a'),
      record('c', false),
      record('b'),
      marker('b', abort),
      record('a'),
      marker('a', abort),
    ];
    const aborted = [
      { producerId: 'b', firstOffset: '2' },
      { producerId: 'a', firstOffset: '0' },
    ];
    expect(visible(messages, aborted)).toEqual(['1']);
  });

  it('begins in the middle of several aborted transactions', () => {
    offset = 50;
    const messages = [record('b'), record('a'), marker('a', abort), record('b'), marker('b', abort), record('a')];
    const aborted = [
      { producerId: 'a', firstOffset: '10' },
      { producerId: 'b', firstOffset: '20' },
    ];
    expect(visible(messages, aborted)).toEqual(['55']);
  });

  it('does not take a message whose key looks like a marker for one', () => {
    const messages = [record('a', true, abort), record('a'), marker('a', abort), record('a', false, abort)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['3']);
  });

  it('leaves a producer alone that writes outside of transactions', () => {
    const messages = [record('a', false), record('a'), marker('a', abort)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['0']);
  });
});

describe('a connection', () => {
  let server: Server;
  let broken: unknown[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    broken = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      clients.push(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    clients.splice(0).forEach((socket) => socket.destroy());
    server.close();
  });

  function newConnection(): Connection {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const logger = new Kafka({ brokers: ['-'], logLevel: logLevel.NOTHING }).logger();
    const socketFactory = ({ host, port: to, onConnect }: { host: string; port: number; onConnect: () => void }) =>
      connect({ host, port: to }, onConnect);
    const times = { requestTimeout: 1000, connectionTimeout: 1000 };
    return new Connection({ host: '127.0.0.1', port, logger, socketFactory, ...times });
  }

  const accepted = async (count: number) => {
    while (clients.length < count) await new Promise((resolve) => setImmediate(resolve));
    return clients[count - 1];
  };
  const response = (correlationId: number, text: string) => {
    const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(text)]);
    bytes.writeInt32BE(bytes.length - 4, 0);
    bytes.writeInt32BE(correlationId, 4);
    return bytes;
  };

  /** Texts of the responses that a connection brings. */
  function listen(connection: Connection): string[] {
    const texts: string[] = [];
    jest
      .spyOn(connection.requestQueue, 'fulfillRequest')
      .mockImplementation(({ payload }) => void texts.push(String(payload)));
    return texts;
  }
  const until = async (holds: () => boolean) => {
    for (let n = 0; n < 1000 && !holds(); n += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(holds()).toBe(true);
  };

  it('forgets half a response when it breaks, and what the old one still brings', async () => {
    const connection = newConnection();
    const texts = listen(connection);
    await connection.connect();
    const first = await accepted(1);
    first?.write(response(1, 'a long response').subarray(0, 13));
    await until(() => connection.bytesBuffered === 13);
    await connection.disconnect();
    await connection.connect();
    const second = await accepted(2);
    first?.write(Buffer.alloc(7));
    second?.write(response(2, 'whole'));
    await until(() => texts.length > 0);
    expect(texts).toEqual(['whole']);
    await connection.disconnect();
  });

  it('ends when what comes is no response, and can be used again', async () => {
    const connection = newConnection();
    const texts = listen(connection);
    jest.spyOn(connection.requestQueue, 'rejectAll').mockImplementation((error) => void broken.push(error));
    await connection.connect();
    (await accepted(1))?.write(Buffer.alloc(6));
    await until(() => broken.length > 0 && !connection.isConnected());
    expect(String(broken[0])).toContain('no response');
    await connection.connect();
    (await accepted(2))?.write(response(3, 'well'));
    await until(() => texts.length > 0);
    expect(texts).toEqual(['well']);
    await connection.disconnect();
  });
});
