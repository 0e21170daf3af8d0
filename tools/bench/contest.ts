import { median } from './measure';
import { say } from './rig';

/** What one run of a contender cost. */
export interface Measured {
  seconds: number;
  /** Of the tool: without the database's, the broker's and the load's. */
  cpuSeconds: number;
  postgresCpuSeconds: number;
  peakRssMb: number;
  /** Written, compressed. */
  megabytes?: number;
}

/** Something that does the work: this platform, or a peer. */
export interface Contender {
  name: string;
  /** In what it does less or more than the others. */
  note?: string;
  run(): Promise<Measured>;
}

export interface Peers {
  contenders: Contender[];
  /** Those that cannot run on this machine, and why. */
  without: string[];
}

export type ContenderResult = ReturnType<typeof summarize>;

/** A warm-up round that does not count, then rounds in which each contender runs once, in alternating order. */
export async function contest(contenders: readonly Contender[], options: { events: number; runs: number }) {
  const measured = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= options.runs; round += 1) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const result = await contender.run();
      const rate = Math.round(options.events / result.seconds);
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${contender.name}: ${rate} events/s`);
      if (round > 0) measured.get(contender)?.push(result);
    }
  }
  return contenders.map((contender) => summarize(contender, measured.get(contender) ?? [], options.events));
}

function summarize({ name, note }: Contender, measured: readonly Measured[], events: number) {
  const perMillion = (seconds: number) => Number(((seconds / events) * 1e6).toFixed(1));
  const runs = measured.map((run) => ({
    eventsPerSecond: Math.round(events / run.seconds),
    cpuSecondsPerMillion: perMillion(run.cpuSeconds),
    postgresCpuSecondsPerMillion: perMillion(run.postgresCpuSeconds),
    peakRssMb: run.peakRssMb,
    ...(run.megabytes === undefined ? {} : { megabytes: run.megabytes }),
  }));
  const middle = (field: (run: (typeof runs)[number]) => number) => median(runs.map(field));
  return {
    name,
    ...(note === undefined ? {} : { note }),
    eventsPerSecond: middle((run) => run.eventsPerSecond),
    cpuSecondsPerMillion: middle((run) => run.cpuSecondsPerMillion),
    postgresCpuSecondsPerMillion: middle((run) => run.postgresCpuSecondsPerMillion),
    peakRssMb: Math.max(...runs.map((run) => run.peakRssMb)),
    megabytes: runs[0]?.megabytes,
    runs,
  };
}
