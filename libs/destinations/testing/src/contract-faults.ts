import {
  type DestinationDriver,
  type DestinationErrorCode,
  type DestinationReader,
  type DriverDeps,
  type ObjectWriter,
  type UploadRef,
} from '@delivery/destinations/driver';
import { sampleBytes } from './contract-suite';
import type { Fault, FaultProxy, Rule } from './fault-proxy';

/** What a driver asks of its store while it writes one object of several parts, and one in a single request. */
export type RequestKind = 'begin' | 'part' | 'finish' | 'put' | 'remove';

/** One driver behind a network and a store that fail on purpose. */
export interface DriverBehindFaults {
  proxy: FaultProxy;
  /** A driver that reaches its store through the proxy and gives a request `timeoutMs` at most. */
  open: (deps: DriverDeps, timeoutMs: number) => Promise<DestinationDriver>;
  /** Reads past the proxy. */
  reader: DestinationReader;
  prefix: string;
  partBytes: number;
  /** Named in every sentence that is told to its owner. */
  bucket: string;
  requests: Readonly<Record<RequestKind, Rule['matches']>>;
  /** Ids of the uploads that the store keeps unfinished; `undefined` if it cannot tell. */
  unfinished: (() => Promise<string[]>) | undefined;
  /** Answers in the store's own words that mean: it will pass. */
  transient: Readonly<Record<string, Fault>>;
  /** Answers in the store's own words that mean: somebody has to change something. */
  permanent: Readonly<Record<string, { fault: Fault; code: DestinationErrorCode; tells: RegExp }>>;
  /** Whether the store, asked twice for the same, does it once, as the real ones do. Emulators may not. */
  repeats: (kind: RequestKind, fault: Fault['kind']) => boolean;
  close: () => Promise<void>;
}

const idle = new AbortController().signal;
const type = { contentType: 'application/gzip', signal: idle };
const kinds: readonly RequestKind[] = ['begin', 'part', 'finish', 'put', 'remove'];

/** Faults of the network, which no store has words for. */
const network: Readonly<Record<string, Fault>> = {
  'a reset': { kind: 'reset' },
  'a reset in the middle': { kind: 'reset', afterBytes: 70_000 },
  'a lost answer': { kind: 'answer_lost' },
  'an answer cut short': { kind: 'answer_cut', bytes: 1 },
  'an answer that is no HTTP': { kind: 'garbage' },
  'an empty 200': { kind: 'answer', status: 200 },
  'a blank 200': { kind: 'answer', status: 200, body: '  \n' },
  'a page of somebody else': { kind: 'answer', status: 200, body: '<html>Sign in to this network</html>' },
};
/** What only a time limit ends. */
const stalls: Readonly<Record<string, Fault>> = {
  silence: { kind: 'hold' },
  '1 kB/s': { kind: 'slow', bytesPerSecond: 1000 },
  'an answer without an end': { kind: 'endless' },
};

/** What `DestinationDriver` promises when requests fail. Every driver of a store behind a network has to pass. */
export function describeDriverFaults(name: string, start: () => Promise<DriverBehindFaults>): void {
  describe(`driver behind faults: ${name}`, () => {
    let under: DriverBehindFaults;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(async () => under?.close());
    afterEach(async () => {
      under.proxy.release();
      const driver = await under.open({}, 10_000);
      for await (const { key } of under.reader.list(under.prefix, idle)) await driver.deleteObject(key, idle);
      await driver.abortUnfinished({ keyPrefix: under.prefix, uploads: [], signal: idle });
      await driver.close();
    });
    const test = () => new FaultTest(under);
    it('every answer that passes by itself is outlived', () => test().outlivesAll(under.transient), 60_000);
    it.each(Object.keys(network))('%s is outlived', (each) => test().outlivesAll(pick(network, each)), 60_000);
    it.each(Object.keys(stalls))('%s is outlived', (each) => test().outlives(stalls[each], 'part', 1500), 60_000);
    it.each(kinds)('an answer to %s without an end is outlived', (kind) =>
      test().outlives({ kind: 'endless' }, kind, 1500),
    );
    it.each([...Object.keys(network), ...Object.keys(stalls)])(
      '%s that does not end is given up, with a sentence and nothing left',
      (each) => test().givesUp({ ...network, ...stalls }[each]),
      60_000,
    );
    it('an answer that does not pass by itself ends the work at once', () => test().refusedAll(), 60_000);
  });
}

function pick(faults: Readonly<Record<string, Fault>>, name: string): Record<string, Fault> {
  return Object.fromEntries(Object.entries(faults).filter(([each]) => each === name));
}

class FaultTest {
  private readonly uploads: UploadRef[] = [];
  private readonly retries: number[] = [];

  constructor(private readonly under: DriverBehindFaults) {}

  async outlivesAll(faults: Readonly<Record<string, Fault>>): Promise<void> {
    for (const fault of Object.values(faults)) for (const kind of kinds) await this.outlives(fault, kind, 10_000);
  }

  /** The work is done, whole, although one kind of request fails twice. */
  async outlives(fault: Fault | undefined, kind: RequestKind, timeoutMs: number): Promise<void> {
    if (fault === undefined || !this.under.repeats(kind, fault.kind)) return;
    // Any 200 to a removal is believed: there is nothing in it to compare.
    if (kind === 'remove' && fault.kind === 'answer' && fault.status === 200) return;
    const { proxy, requests } = this.under;
    this.retries.length = 0;
    proxy.inject({
      fault,
      matches: requests[kind],
      times: Object.values(stalls).some(({ kind }) => kind === fault.kind) ? 1 : 2,
    });
    const { failure, driver, key, bytes } = await this.work(kind, { tries: 4, timeoutMs });
    expect({ fault, kind, failure }).toEqual({ fault, kind, failure: undefined });
    expect(this.retries.length).toBeGreaterThan(0);
    proxy.release();
    if (kind === 'remove') expect(await this.stored(key)).toBeUndefined();
    else expect((await this.stored(key))?.equals(bytes)).toBe(true);
    await this.expectNothingUnfinished(driver);
    await driver.close();
  }

  /** The work is not done, and may be done later: nothing of it is visible, and nothing is kept unfinished. */
  async givesUp(fault: Fault | undefined): Promise<void> {
    if (fault === undefined) return;
    const { proxy, requests, bucket } = this.under;
    proxy.inject({ fault, matches: requests.part, times: Infinity });
    const { failure, driver, key, writer } = await this.work('part', { tries: 2, timeoutMs: 1000 });
    expect(failure).toMatchObject({ name: 'DestinationError', retryable: true });
    expect(failure).toMatchObject({ message: expect.stringContaining(bucket) });
    proxy.release();
    await writer?.abort();
    expect(await this.stored(key)).toBeUndefined();
    await this.expectNothingUnfinished(driver);
    await driver.close();
  }

  async refusedAll(): Promise<void> {
    const { permanent, proxy, requests } = this.under;
    for (const [name, { fault, code, tells }] of Object.entries(permanent)) {
      for (const kind of kinds) {
        proxy.inject({ fault, matches: requests[kind], times: Infinity });
        this.retries.length = 0;
        const { failure, driver, key, writer } = await this.work(kind, { tries: 4, timeoutMs: 10_000 });
        expect({ name, kind, failure }).toMatchObject({ failure: { code, retryable: false } });
        expect(failure).toMatchObject({ message: expect.stringMatching(tells) });
        expect(this.retries).toEqual([]);
        proxy.release();
        await writer?.abort();
        if (kind !== 'remove') expect(await this.stored(key)).toBeUndefined();
        await this.expectNothingUnfinished(driver);
        await driver.close();
      }
    }
  }

  private async work(kind: RequestKind, { tries, timeoutMs }: { tries: number; timeoutMs: number }) {
    const { open, partBytes, prefix } = this.under;
    const onRetry = (): void => void this.retries.push(1);
    const driver = await open({ policy: { tries, baseMs: 1, capMs: 2 }, onRetry }, timeoutMs);
    const key = `${prefix}${kind}`;
    const whole = kind === 'put' || kind === 'remove';
    const bytes = sampleBytes(whole ? 1000 : 2 * partBytes + 11);
    let writer: ObjectWriter | undefined;
    let failure: unknown;
    try {
      if (whole) await driver.putObject(key, bytes, type);
      if (kind === 'remove') await driver.deleteObject(key, idle);
      if (!whole) {
        writer = await driver.createObject(key, {
          ...type,
          onUploadStarted: async (upload) => void this.uploads.push(upload),
        });
        await writer.write(bytes);
        await writer.finish();
      }
    } catch (error) {
      failure = error;
    }
    return { driver, failure, key, bytes, writer };
  }

  private async stored(key: string): Promise<Buffer | undefined> {
    const stream = await this.under.reader.read(key, idle);
    if (stream === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** An upload whose id was lost with an answer is known to nobody: what the store lists has to be swept. */
  private async expectNothingUnfinished(driver: DestinationDriver): Promise<void> {
    const { unfinished, prefix } = this.under;
    if (unfinished === undefined) return;
    const noted = new Set(this.uploads.map(({ uploadId }) => uploadId));
    expect((await unfinished()).filter((id) => noted.has(id))).toEqual([]);
    await driver.abortUnfinished({ keyPrefix: prefix, uploads: [], signal: idle });
    expect(await unfinished()).toEqual([]);
  }
}
