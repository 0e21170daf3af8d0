import {
  sampleBytes,
  startStubServer,
  type StubAnswer,
  type StubRequest,
  type StubServer,
} from '@delivery/destinations/testing';
import { Crc32c } from './crc32c';
import { CHUNK_UNIT_BYTES } from './gcs-options';
import { openGcsDestination } from './open-gcs-destination';

type Trouble = 'lost_answer' | 'kept_a_part' | 'kept_nothing' | 'error' | undefined;

/**
 * A resumable session as Google documents it, which no local server does: it keeps any multiple of 256 KiB of a chunk,
 * ignores bytes that it has, and answers the last chunk again with the finished object.
 */
class Session {
  stored = Buffer.alloc(0);
  complete = false;
  readonly ranges: string[] = [];

  constructor(private readonly trouble: (chunk: number) => Trouble) {}

  put(request: StubRequest): StubAnswer | 'reset' {
    const [, range = '', total = ''] = /^bytes ([^/]+)\/(.+)$/.exec(request.headers['content-range'] ?? '') ?? [];
    const trouble = this.trouble(this.ranges.push(`${range}/${total}`));
    if (trouble === 'error') return { status: 503 };
    const from = range === '*' ? this.stored.byteLength : Number(range.split('-')[0]);
    if (from > this.stored.byteLength) return { status: 400, body: 'a gap' };
    const fresh = request.body.subarray(this.stored.byteLength - from);
    const takes = { kept_a_part: CHUNK_UNIT_BYTES, kept_nothing: 0 };
    const kept = trouble === 'kept_a_part' || trouble === 'kept_nothing' ? fresh.subarray(0, takes[trouble]) : fresh;
    this.stored = Buffer.concat([this.stored, kept]);
    this.complete = total !== '*' && Number(total) === this.stored.byteLength;
    if (trouble === 'lost_answer') return 'reset';
    if (this.complete) return { status: 200, body: JSON.stringify(this.object()) };
    const last = this.stored.byteLength - 1;
    return { status: 308, headers: last < 0 ? {} : { range: `bytes=0-${last}` } };
  }

  private object(): Record<string, string> {
    const crc32c = new Crc32c();
    crc32c.update(this.stored);
    return { size: String(this.stored.byteLength), crc32c: crc32c.toString(), generation: '1' };
  }
}

describe('GcsWriter', () => {
  let stub: StubServer;
  let session: Session;
  let deleted = 0;
  beforeAll(async () => {
    stub = await startStubServer((request) => {
      if (request.method === 'PUT') return session.put(request);
      if (request.method === 'DELETE') return { status: (deleted += 1) > 0 ? 499 : 500 };
      return { status: 200, headers: { location: `${stub.endpoint}/upload?upload_id=up-1` } };
    });
  });
  afterAll(async () => stub.close());

  const write = async (bytes: Uint8Array, trouble: (chunk: number) => Trouble = () => undefined) => {
    session = new Session(trouble);
    const driver = await openGcsDestination(
      {
        bucket: 'didomi-cmp-bucket',
        projectId: 'didomi-cmp',
        endpoint: stub.endpoint,
        credentials: 'anonymous-local',
        chunkSizeBytes: 2 * CHUNK_UNIT_BYTES,
      },
      { policy: { tries: 3, baseMs: 1, capMs: 1 } },
    );
    const writer = await driver.createObject('x', { contentType: 'a/b', signal: new AbortController().signal });
    const outcome = await writer
      .write(bytes)
      .then(() => writer.finish())
      .catch((error: unknown) => error);
    return { outcome, writer, driver };
  };
  const bytes = sampleBytes(5 * CHUNK_UNIT_BYTES + 3);

  it('sends chunks of one size and the total with the last', async () => {
    await expect(write(bytes)).resolves.toMatchObject({ outcome: { bytes: bytes.byteLength } });
    expect(session.ranges).toEqual(['0-524287/*', '524288-1048575/*', '1048576-1310722/1310723']);
    expect(session.stored.equals(bytes)).toBe(true);
  });

  it('finishes an empty object', async () => {
    await expect(write(Buffer.alloc(0))).resolves.toMatchObject({ outcome: { bytes: 0 } });
    expect(session.ranges).toEqual(['*/0']);
  });

  it.each([1, 2, 3])('sends chunk %i again when its answer is lost', async (lost) => {
    await expect(write(bytes, (chunk) => (chunk === lost ? 'lost_answer' : undefined))).resolves.toMatchObject({
      outcome: { bytes: bytes.byteLength },
    });
    expect(session.stored.equals(bytes)).toBe(true);
  });

  it.each([1, 2, 3])('goes on where the store stopped when it keeps only a part of chunk %i', async (cut) => {
    await expect(write(bytes, (chunk) => (chunk === cut ? 'kept_a_part' : undefined))).resolves.toMatchObject({
      outcome: { bytes: bytes.byteLength },
    });
    expect(session.stored.equals(bytes)).toBe(true);
    expect(session.ranges).toHaveLength(4);
  });

  it.each([1, 2, 3])('gives up a session that keeps nothing from chunk %i on', async (first) => {
    const { outcome, writer } = await write(bytes, (chunk) => (chunk >= first ? 'kept_nothing' : undefined));
    expect(outcome).toMatchObject({ code: 'unavailable', retryable: true });
    expect(session.ranges.length).toBeLessThan(10);
    await writer.abort();
  });

  it('cancels the session of an upload that it gave up', async () => {
    const { outcome, writer, driver } = await write(bytes, () => 'error');
    expect(outcome).toMatchObject({ code: 'unavailable', retryable: true });
    deleted = 0;
    await writer.abort();
    await writer.abort();
    expect(deleted).toBe(1);
    await driver.close();
  });
});
