import { createServer } from 'node:net';
import { services, type ServiceName } from './services';

/** The documented port of each service, or any other one where it is taken. */
export async function portsFor(): Promise<Map<ServiceName, number>> {
  const ports = new Map<ServiceName, number>();
  for (const { name, port } of services) ports.set(name, (await isPortFree(port)) ? port : await unusedPort());
  return ports;
}

/** A port of the loopback interface that nobody listens on at this moment. */
export async function unusedPort(): Promise<number> {
  return (await listenOnce(0)) ?? Promise.reject(new Error('no port is free'));
}

export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/** @returns the port that was listened on, or `undefined` where that is impossible */
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
