import { randomUUID } from 'node:crypto';
import { describeDriverContract, localGcs, startFaultProxy } from '@delivery/destinations/testing';
import { CHUNK_UNIT_BYTES, type GcsDestinationOptions } from './gcs-options';
import { openGcsDestination } from './open-gcs-destination';
import { openGcsReader } from './open-gcs-reader';

const prefix = 'contract/';
const deps = { policy: { tries: 3, baseMs: 1, capMs: 5 } };

describeDriverContract('gcs', async () => {
  const { endpoint } = localGcs();
  const options: GcsDestinationOptions = {
    bucket: `contract-${randomUUID()}`,
    projectId: 'local',
    credentials: 'anonymous-local',
    endpoint,
    chunkSizeBytes: CHUNK_UNIT_BYTES,
    prefix,
  };
  const created = await fetch(`${endpoint}/storage/v1/b?project=local`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: options.bucket }),
  });
  if (!created.ok) throw new Error(`the bucket could not be created: HTTP ${created.status}`);
  const proxy = await startFaultProxy(endpoint);
  const driver = await openGcsDestination(options, deps);
  const reader = await openGcsReader(options, deps);
  return {
    driver,
    reader,
    prefix,
    partBytes: CHUNK_UNIT_BYTES,
    unfinished: undefined,
    openMissing: () => openGcsDestination({ ...options, bucket: `missing-${randomUUID()}` }, deps),
    openHanging: async () => {
      const isChunk = ({ method }: { method: string }) => method === 'PUT';
      proxy.inject({ fault: { kind: 'hold' }, matches: isChunk, times: Infinity });
      return {
        driver: await openGcsDestination({ ...options, endpoint: proxy.endpoint }, deps),
        partsInFlight: 1,
        waitForUploads: (count) => proxy.waitForHeld(count),
        release: () => proxy.release(),
      };
    },
    close: async () => {
      await driver.close();
      await reader.close();
      await proxy.close();
      await fetch(`${endpoint}/storage/v1/b/${options.bucket}`, { method: 'DELETE' });
    },
  };
});
