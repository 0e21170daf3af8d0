import { waitFor } from '@delivery/platform/testing';
import { GatewayWorld } from './gateway-world';

describe('download-gateway', () => {
  it('boots, answers its probes, and stops', async () => {
    const world = await GatewayWorld.open();
    const { url } = world.gateway;
    await waitFor(async () => (await fetch(`${url}/health/ready`)).status === 200, { describe: 'readiness' });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/docs-json`)).status).toBe(200);
    await world.close();
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });
});
