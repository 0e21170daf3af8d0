import { Ticker, type TickObserver } from './ticker';

const observed: string[] = [];
const observer: TickObserver = {
  ended: (task, outcome) => observed.push(`${task} ${outcome}`),
  failed: (task, error) => observed.push(`${task}: ${String(error)}`),
};

async function settled(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

afterEach(() => observed.splice(0));

describe('ticker', () => {
  it('calls every task at once and goes on after a failure', async () => {
    let calls = 0;
    const failing = async () => {
      calls += 1;
      throw new Error('no database');
    };
    const ticker = new Ticker(
      [
        { name: 'a', everySeconds: 0, run: failing },
        { name: 'b', everySeconds: 3600, run: async () => undefined },
      ],
      observer,
    );
    ticker.start();
    while (calls < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await ticker.stop();
    expect(observed).toEqual(expect.arrayContaining(['a: Error: no database', 'a failed', 'b ok']));
  });

  it('never has two calls of a task at once, and waits for the one in hand when it stops', async () => {
    let running = 0;
    let most = 0;
    let end: () => void = () => undefined;
    const run = () => {
      running += 1;
      most = Math.max(most, running);
      return new Promise<void>((resolve) => {
        end = () => {
          running -= 1;
          resolve();
        };
      });
    };
    const ticker = new Ticker([{ name: 'a', everySeconds: 0, run }], observer);
    ticker.start();
    await settled();
    let stopped = false;
    const stopping = ticker.stop().then(() => (stopped = true));
    await settled();
    expect([most, stopped]).toEqual([1, false]);
    end();
    await stopping;
    expect(running).toBe(0);
  });

  it('tells a task that is not done, with the reason, until it is', async () => {
    const begin = performance.now();
    const now = jest.spyOn(performance, 'now').mockReturnValue(begin);
    let failing = true;
    const run = async () => {
      if (failing) throw new Error('no database');
    };
    const ticker = new Ticker([{ name: 'a', everySeconds: 0, run }], observer);
    ticker.start();
    await settled();
    now.mockReturnValue(begin + 59_000);
    expect(ticker.stalled(60)).toEqual([]);
    now.mockReturnValue(begin + 61_000);
    expect(ticker.stalled(60)).toEqual(['Task a has not been done for 61 s: no database.']);
    failing = false;
    while (ticker.stalled(60).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await ticker.stop();
    now.mockRestore();
  });

  it('tells a task whose call does not come back', async () => {
    const begin = performance.now();
    const now = jest.spyOn(performance, 'now').mockReturnValue(begin);
    const ticker = new Ticker([{ name: 'a', everySeconds: 1, run: () => new Promise(() => undefined) }], observer);
    ticker.start();
    expect(ticker.stuck()).toEqual([]);
    now.mockReturnValue(begin + 121_000);
    expect(ticker.stuck()).toEqual(['a']);
    now.mockRestore();
  });

  it('lets a call take as long as its task says, unless it fails', async () => {
    const begin = performance.now();
    const now = jest.spyOn(performance, 'now').mockReturnValue(begin);
    const task = { everySeconds: 1, callSeconds: 600 };
    const fails = () => Promise.reject(new Error('no database'));
    const ticker = new Ticker(
      [
        { ...task, name: 'slow', run: () => new Promise(() => undefined) },
        { ...task, name: 'bad', run: fails },
      ],
      observer,
    );
    ticker.start();
    await settled();
    now.mockReturnValue(begin + 599_000);
    expect(ticker.stuck()).toEqual([]);
    expect(ticker.stalled(60)).toEqual(['Task bad has not been done for 599 s: no database.']);
    now.mockReturnValue(begin + 602_000);
    expect(ticker.stuck()).toContain('slow');
    expect(ticker.stalled(60)).toContain('Task slow has not been done for 602 s: its call has not come back.');
    now.mockRestore();
  });
});
