import { createServer } from 'node:net';

/** Far enough apart that the parts' series do not meet. */
const step = 100;

/**
 * The wanted port when it is free on the loopback interface; otherwise the first free one of wanted + 100, + 200, ...,
 * which stays clear of the ports that the system lends to outgoing connections; otherwise any.
 */
export async function freePort(wanted: number, isFree = portIsFree): Promise<number> {
  for (let port = wanted; port < wanted + 20 * step && port < 65_536; port += step) {
    if (await isFree(port)) return port;
  }
  const any = await listenOnce(0);
  if (any === undefined) throw new Error(`no port is free near ${wanted}, nor anywhere else`);
  return any;
}

export async function portIsFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
