import fc from 'fast-check';
import { DestinationError } from './errors';
import { PartCutter, type Part } from './part-cutter';

const idle = new AbortController().signal;

describe('PartCutter', () => {
  it('cuts any chunks into full parts and a last one that holds the same bytes in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 3 }),
        async (chunks, partBytes, partsInFlight) => {
          const parts: { number: number; offset: number; bytes: Buffer }[] = [];
          let underway = 0;
          const upload = async (part: Part): Promise<void> => {
            underway += 1;
            expect(underway).toBeLessThanOrEqual(partsInFlight);
            await new Promise(setImmediate);
            // Copied after the pause: the memory must not have been used again before this upload resolves.
            parts.push({ ...part, bytes: Buffer.from(part.bytes) });
            underway -= 1;
          };
          const cutter = new PartCutter({ partBytes, partsInFlight, upload, free: [], signal: idle });
          for (const chunk of chunks) await cutter.write(chunk);
          const last = await cutter.end();
          parts.sort((a, b) => a.number - b.number).push({ ...last, bytes: Buffer.from(last.bytes) });

          const whole = Buffer.concat(chunks);
          expect(Buffer.concat(parts.map((part) => part.bytes))).toEqual(whole);
          expect(cutter.bytes).toBe(whole.byteLength);
          expect(parts.map((part) => part.number)).toEqual(parts.map((_, index) => index + 1));
          expect(parts.map((part) => part.offset)).toEqual(parts.map((_, index) => index * partBytes));
          for (const part of parts.slice(0, -1)) expect(part.bytes.byteLength).toBe(partBytes);
          if (whole.byteLength > 0) expect(last.bytes.byteLength).toBeGreaterThan(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes no more than the parts in flight and one more before it makes the caller wait', async () => {
    const gate = Promise.withResolvers<void>();
    const cutter = new PartCutter({
      partBytes: 10,
      partsInFlight: 2,
      upload: () => gate.promise,
      free: [],
      signal: idle,
    });
    await cutter.write(new Uint8Array(30));
    let accepted = false;
    const waiting = cutter.write(new Uint8Array(1)).then(() => (accepted = true));
    await new Promise(setImmediate);
    expect(accepted).toBe(false);
    gate.resolve();
    await waiting;
    expect(cutter.bytes).toBe(31);
  });

  it('uses the memory of one object for the next', async () => {
    const free: Buffer[] = [];
    const memory = new Set<ArrayBufferLike>();
    for (let object = 0; object < 3; object += 1) {
      const upload = async ({ bytes }: Part): Promise<void> => void memory.add(bytes.buffer);
      const cutter = new PartCutter({ partBytes: 10, partsInFlight: 2, upload, free, signal: idle });
      await cutter.write(new Uint8Array(95));
      memory.add((await cutter.end()).bytes.buffer);
      cutter.release();
    }
    expect(memory.size).toBeLessThanOrEqual(3);
    expect(free).toHaveLength(memory.size);
  });

  it('surfaces the failure of an earlier part in a later call', async () => {
    const failure = new DestinationError('access_denied', 'No.');
    const upload = (): Promise<void> => Promise.reject(failure);
    const cutter = new PartCutter({ partBytes: 4, partsInFlight: 1, upload, free: [], signal: idle });
    await expect(cutter.write(new Uint8Array(100))).rejects.toBe(failure);
    await expect(cutter.end()).rejects.toBe(failure);
    await cutter.settled();
  });

  it('does not wait for a hanging store once the signal is aborted', async () => {
    const controller = new AbortController();
    const cutter = new PartCutter({
      partBytes: 4,
      partsInFlight: 1,
      upload: () => new Promise(() => undefined),
      free: [],
      signal: controller.signal,
    });
    const waiting = cutter.write(new Uint8Array(100));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
