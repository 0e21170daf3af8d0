import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy';

let server: Server;
let proxy: TcpProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket); // says what it hears
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.open((server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  server.close();
});

/** A connection, with all that it has received. */
function client() {
  const socket = connect(proxy.port, '127.0.0.1');
  sockets.push(socket);
  const received = { text: '', error: '' };
  socket.on('data', (chunk: Buffer) => (received.text += chunk.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (received.error = error.code ?? ''));
  const until = async (length: number) => {
    while (received.text.length < length) await once(socket, 'data');
    return received.text;
  };
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, received, until, closed };
}

it('passes what it is given, and the end', async () => {
  const { socket, until, closed } = client();
  socket.write('hello');
  await expect(until(5)).resolves.toBe('hello');
  socket.end();
  await closed;
  expect(proxy.connections).toBe(0);
});

it('resets what is open and refuses what comes', async () => {
  const first = client();
  first.socket.write('x');
  await first.until(1);
  expect(proxy.reset()).toBe(1);
  await first.closed;
  expect(first.received.error).toBe('ECONNRESET');
  proxy.break({ kind: 'refuse' });
  const second = client();
  await second.closed;
  expect(second.received.text).toBe('');
});

it('swallows everything until it heals, and then goes on', async () => {
  const { socket, received, until } = client();
  socket.write('a');
  await until(1);
  proxy.break({ kind: 'black_hole' });
  const other = client();
  other.socket.write('c');
  socket.write('b');
  await once(other.socket, 'connect');
  expect(received.text).toBe('a');
  proxy.heal();
  await expect(until(2)).resolves.toBe('ab');
  await expect(other.until(1)).resolves.toBe('c');
});

it('leaves a client alone with a connection whose server is gone', async () => {
  const { socket, received, until } = client();
  socket.write('a');
  await until(1);
  proxy.break({ kind: 'half_open' });
  proxy.heal();
  socket.write('b');
  const next = client();
  next.socket.write('c');
  await expect(next.until(1)).resolves.toBe('c');
  expect({ ...received, open: socket.readyState }).toEqual({ text: 'a', error: '', open: 'open' });
});

it('lets bytes trickle', async () => {
  proxy.break({ kind: 'trickle', bytesPerSecond: 1000 });
  const { socket, until } = client();
  const chunks: number[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk.length));
  socket.write('x'.repeat(200));
  await until(200);
  expect(Math.max(...chunks)).toBeLessThanOrEqual(100); // 50 bytes at a time, two of which may arrive together
});

it('cuts an answer', async () => {
  proxy.break({ kind: 'truncate', bytes: 3 });
  const { socket, received, closed } = client();
  socket.write('hello');
  await closed;
  expect('hel'.startsWith(received.text)).toBe(true); // a reset may overtake what was sent before it
  expect(received.error).toBe('ECONNRESET');
});
