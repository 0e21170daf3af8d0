import type { ExportRun } from '@delivery/exports/store';
import { RunSlots } from './run-slots';

/** Runs that wait, and executions that end when a test says so. */
class Queue {
  readonly begun: string[] = [];
  readonly errors: unknown[] = [];
  most = 0;
  failNext = false;
  private readonly ends = new Map<string, () => void>();

  constructor(private readonly waiting: string[]) {}

  slots(slots: number): RunSlots {
    return new RunSlots({
      slots,
      claim: async () => {
        if (this.failNext) {
          this.failNext = false;
          throw new Error('no database');
        }
        const id = this.waiting.shift();
        // Only the id matters here.
        return id === undefined ? undefined : ({ id } as ExportRun);
      },
      execute: ({ id }, { signal }) => {
        this.begun.push(id);
        return new Promise<void>((resolve) => {
          const end = () => {
            this.ends.delete(id);
            resolve();
          };
          this.ends.set(id, end);
          this.most = Math.max(this.most, this.ends.size);
          signal.addEventListener('abort', end, { once: true });
        });
      },
      onError: (error) => this.errors.push(error),
    });
  }

  add(...ids: string[]): void {
    this.waiting.push(...ids);
  }

  get left(): number {
    return this.waiting.length;
  }

  async end(id: string): Promise<void> {
    this.ends.get(id)?.();
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('run slots', () => {
  it('execute no more runs at once than they are, and go on with the next when one ends', async () => {
    const queue = new Queue(['a', 'b', 'c', 'd']);
    const slots = queue.slots(2);
    slots.wake();
    slots.wake();
    await settled();
    expect(queue.begun).toEqual(['a', 'b']);
    expect(slots.busy).toBe(2);
    await queue.end('a');
    expect(queue.begun).toEqual(['a', 'b', 'c']);
    await queue.end('c');
    await queue.end('b');
    expect(queue.begun).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.most).toBe(2);
    await slots.stop();
  });

  it('hear a nudge that comes while they claim', async () => {
    const queue = new Queue([]);
    const slots = queue.slots(1);
    slots.wake();
    queue.add('a');
    slots.wake();
    await settled();
    expect(queue.begun).toEqual(['a']);
    await slots.stop();
  });

  it('survive a claim that fails', async () => {
    const queue = new Queue(['a']);
    queue.failNext = true;
    const slots = queue.slots(1);
    slots.wake();
    await settled();
    expect(queue.errors).toHaveLength(1);
    expect(queue.begun).toEqual([]);
    slots.wake();
    await settled();
    expect(queue.begun).toEqual(['a']);
    await slots.stop();
  });

  it('claim nothing after they were stopped, and wait for what they have', async () => {
    const queue = new Queue(['a', 'b']);
    const slots = queue.slots(1);
    slots.wake();
    await settled();
    await slots.stop();
    expect(slots.busy).toBe(0);
    slots.wake();
    await settled();
    expect(queue.begun).toEqual(['a']);
    expect(queue.left).toBe(1);
  });

  it('look by themselves', async () => {
    const queue = new Queue(['a']);
    const slots = queue.slots(1);
    const polling = slots.poll(3600);
    await settled();
    expect(queue.begun).toEqual(['a']);
    await slots.stop();
    await polling;
  });
});
