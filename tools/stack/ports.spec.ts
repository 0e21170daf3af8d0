import { createServer, type Server } from 'node:net';
import { freePort, portIsFree } from './ports';

describe('the choice of ports', () => {
  it('takes the wanted port when it is free', async () => {
    expect(await freePort(19_000, () => Promise.resolve(true))).toBe(19_000);
  });

  it('takes the next of the series when others have the wanted one', async () => {
    const taken = [19_000, 19_100];
    expect(await freePort(19_000, (port) => Promise.resolve(!taken.includes(port)))).toBe(19_200);
  });

  it('takes any port when the whole series is taken', async () => {
    const port = await freePort(19_000, () => Promise.resolve(false));
    expect(port).toBeGreaterThan(0);
    expect(await portIsFree(port)).toBe(true);
  });

  it('notices a real listener', async () => {
    const server = createServer();
    const port = await listen(server);
    expect(await portIsFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await portIsFree(port)).toBe(true);
  });
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('no port'));
    }),
  );
}
