/** Set when somebody asks the command to stop, by Ctrl-C for example. Further signals change nothing: stopping is under way. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort(new Interrupted(signal)));
  }
  // `npm run demo | head`: nobody reads any more, and an unhandled error would leave the services running.
  process.stdout.on('error', () => controller.abort(new Interrupted('SIGPIPE')));
  return controller.signal;
}

/** The command was asked to stop before it was done. */
export class Interrupted extends Error {
  readonly exitCode = 130;

  constructor(signal: NodeJS.Signals) {
    super(`${signal}: stopped`);
    this.name = 'Interrupted';
  }
}

/** Resolves with the work, or rejects as soon as the signal is set; the work itself goes on until its resources close. */
export function untilStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, stopped]);
}
