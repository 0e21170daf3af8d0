import { join } from 'node:path';
import { downloaded, ensureDownload, fakeGcsDownload, motoDownload } from '../download';
import { startDetached } from '../processes';
import { go, python } from '../tools';
import type { Part } from './part';

/** S3, STS and IAM on one port (moto). It knows neither policies nor external ids. */
export const s3: Part = {
  name: 's3',
  port: 19000,
  image: 'motoserver/moto:5.2.5',
  contents: 'in memory',
  stopSignal: 'SIGTERM',
  tools: () => (downloaded(motoDownload) ? [] : [python]),
  prepare: (progress) => ensureDownload(motoDownload, progress),
  async start({ prepared, data, log, port, stack }) {
    const server = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)];
    return startDetached(join(prepared, 'venv', 'bin', 'python'), server, { log, cwd: data, stack });
  },
  probe: (port) => answers(`http://127.0.0.1:${port}/moto-api/`),
};

/** Cloud Storage (fake-gcs-server). */
export const gcs: Part = {
  name: 'gcs',
  port: 14443,
  image: 'fsouza/fake-gcs-server:1.52.3',
  contents: 'in memory',
  stopSignal: 'SIGTERM',
  tools: () => (downloaded(fakeGcsDownload) ? [] : [go]),
  prepare: (progress) => ensureDownload(fakeGcsDownload, progress),
  async start({ prepared, data, log, port, stack }) {
    const args = ['-host', '127.0.0.1', '-port', String(port), ...gcsFlags(port)];
    return startDetached(join(prepared, 'fake-gcs-server'), args, { log, cwd: data, stack });
  },
  probe: (port) => answers(`http://127.0.0.1:${port}/_internal/healthcheck`),
};

/** Uploads continue at an address that the server names: it must name the one that clients know. */
export function gcsFlags(port: number): string[] {
  const address = `127.0.0.1:${port}`;
  return ['-scheme', 'http', '-backend', 'memory', '-external-url', `http://${address}`, '-public-host', address];
}

async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
