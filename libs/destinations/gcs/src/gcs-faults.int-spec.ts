import { randomUUID } from 'node:crypto';
import { describeDriverFaults, localGcs, startFaultProxy, type Fault } from '@delivery/destinations/testing';
import { CHUNK_UNIT_BYTES, type GcsDestinationOptions } from './gcs-options';
import { openGcsDestination } from './open-gcs-destination';
import { openGcsReader } from './open-gcs-reader';

const json = (status: number, reason: string, message = 'told by the store'): Fault => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }),
});

describeDriverFaults('gcs', async () => {
  const { endpoint } = localGcs();
  const bucket = `faults-${randomUUID()}`;
  const options: GcsDestinationOptions = {
    bucket,
    projectId: 'local',
    credentials: 'anonymous-local',
    endpoint,
    chunkSizeBytes: CHUNK_UNIT_BYTES,
  };
  const created = await fetch(`${endpoint}/storage/v1/b?project=local`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: bucket }),
  });
  if (!created.ok) throw new Error(`the bucket could not be created: HTTP ${created.status}`);
  const proxy = await startFaultProxy(endpoint);
  const reader = await openGcsReader(options);
  const isChunk = ({ method, url }: { method: string; url: string }) => method === 'PUT' && url.includes('upload_id');
  return {
    proxy,
    open: (deps, requestTimeoutMs) =>
      openGcsDestination({ ...options, endpoint: proxy.endpoint, requestTimeoutMs }, deps),
    reader,
    prefix: 'faults/',
    partBytes: CHUNK_UNIT_BYTES,
    bucket,
    requests: {
      begin: ({ method, url }) => method === 'POST' && url.includes('uploadType=resumable'),
      part: isChunk,
      finish: isChunk,
      put: isChunk,
      remove: ({ method, url }) => method === 'DELETE' && !url.includes('upload_id'),
    },
    // A session has no list.
    unfinished: undefined,
    transient: {
      backendError: json(500, 'backendError'),
      '502 of a load balancer': { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' },
      '503 without a body': { kind: 'answer', status: 503 },
      rateLimitExceeded: json(429, 'rateLimitExceeded'),
      'rateLimitExceeded as 403': json(403, 'rateLimitExceeded'),
      'request timeout': { kind: 'answer', status: 408 },
    },
    permanent: {
      forbidden: {
        fault: json(403, 'forbidden'),
        code: 'access_denied',
        tells: /denied storage\.objects\.\w+ to .*Grant/,
      },
      authError: { fault: json(401, 'authError'), code: 'credentials_invalid', tells: /create a new key/ },
      'billing is off': {
        fault: json(403, 'accountDisabled'),
        code: 'quota_exceeded',
        tells: /Enable billing/,
      },
      'a disabled key': {
        fault: json(400, 'invalid', 'Cloud KMS key projects/p/cryptoKeys/k is disabled'),
        code: 'kms_denied',
        tells: /Enable it, and grant/,
      },
    },
    // The local server appends a chunk that is sent again; the sessions of gcs-writer.spec.ts do as Google says.
    repeats: (kind, fault) =>
      kind === 'begin' || kind === 'remove' || !['answer_lost', 'answer_cut', 'endless'].includes(fault),
    close: async () => {
      await reader.close();
      await proxy.close();
      await fetch(`${endpoint}/storage/v1/b/${bucket}`, { method: 'DELETE' });
    },
  };
});
