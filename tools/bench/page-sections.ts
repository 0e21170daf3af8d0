import type { benchAccept } from './accept.bench';
import { type Chart, withCommas } from './chart';
import type { ContenderResult } from './contest';
import type { benchDownload } from './download.bench';
import type { benchIdle } from './idle.bench';

type ResultOf<B extends (options: never) => Promise<object>> = Awaited<ReturnType<B>>;

/** What is held against a figure. */
export interface Aim {
  what: string;
  limit: string;
  measured: string;
  met: boolean;
}

/** What the page shows of one result. */
export interface Shown {
  aims: Aim[];
  /** A header, then rows. */
  table: string[][];
  chart?: Chart;
  remarks?: string[];
}

export interface ContestResult {
  contenders: ContenderResult[];
  /** Peers that could not run, and why. */
  without?: string[];
}

function atLeast(what: string, limit: number, unit: string, value: number): Aim {
  return aim(what, `at least ${withCommas(limit)}${unit}`, value, unit, value >= limit);
}

function atMost(what: string, limit: number, unit: string, value: number): Aim {
  return aim(what, `at most ${withCommas(limit)}${unit}`, value, unit, value <= limit);
}

function aim(what: string, limit: string, value: number, unit: string, met: boolean): Aim {
  return { what, limit, measured: `${withCommas(value)}${unit}`, met };
}

const acceptLimitMs = 25;

export function acceptShown({ medianEventsPerSecond, latency, runs }: ResultOf<typeof benchAccept>): Shown {
  const oneEvent = 'p99 of one event, among arrays of 5,000 events/s';
  return {
    aims: [
      atLeast('arrays of 100 events', 10_000, ' events/s', medianEventsPerSecond),
      atMost(oneEvent, acceptLimitMs, ' ms', latency.p99Ms),
    ],
    table: [
      ['', 'arrays: events/s', 'CPU s', 'one event: p50', 'p99', 'longest'],
      ...runs.map((run, n) => {
        const play = latency.plays[n];
        return [
          `run ${n + 1}`,
          withCommas(run.eventsPerSecond),
          run.cpuSecondsPerMillion.toFixed(1),
          ...[play?.p50Ms, play?.p99Ms, play?.maxMs].map((ms) => `${ms ?? ''} ms`),
        ];
      }),
    ],
    chart: latencyChart(`${oneEvent}, of each run`, latency.plays, acceptLimitMs),
  };
}

export function downloadShown({ medianP99Ms, runs, downloads }: ResultOf<typeof benchDownload>): Shown {
  const limitMs = 20;
  return {
    aims: [atMost('p99 at 500 requests for links a second', limitMs, ' ms', medianP99Ms)],
    table: [
      ['', 'p50', 'p99', 'longest', 'CPU of a request'],
      ...runs.map((run, n) => [
        `run ${n + 1}`,
        ...[run.p50Ms, run.p99Ms, run.maxMs, run.cpuMsPerRequest].map((ms) => `${ms} ms`),
      ]),
    ],
    chart: latencyChart('p99 of each run', runs, limitMs),
    ...(downloads && { remarks: [memoryRemark(downloads)] }),
  };
}

type Downloads = NonNullable<ResultOf<typeof benchDownload>['downloads']>;

function memoryRemark({ parallel, fileMegabytes, rssBeforeMb, rssMb, peakRssMb }: Downloads): string {
  const memory = `from ${rssBeforeMb} MB of memory to ${rssMb} (${peakRssMb} at most)`;
  return `${withCommas(parallel)} downloads of ${fileMegabytes} MB at once: ${memory}.`;
}

export function idleShown({ readySeconds, services }: ResultOf<typeof benchIdle>): Shown {
  const limitMb = 130;
  return {
    aims: [
      atMost('start to ready of all services', 15, ' s', readySeconds),
      atMost('memory of the largest, at rest', limitMb, ' MB', Math.max(...services.map(({ rssMb }) => rssMb))),
    ],
    table: [
      ['', 'memory at rest', 'at most since the start', 'CPU s until then'],
      ...services.map((each) => [each.app, `${each.rssMb} MB`, `${each.peakRssMb} MB`, each.cpuSeconds.toFixed(1)]),
    ],
    chart: {
      title: 'memory at rest',
      bars: services.map(({ app, rssMb }) => ({ name: app, value: rssMb, own: true })),
      unit: ' MB',
      limit: limitMb,
    },
  };
}

export function recordShown(result: ContestResult): Shown {
  const [one] = result.contenders;
  return contestShown(result, [
    atLeast('one recorder', 12_000, ' events/s', one?.eventsPerSecond ?? 0),
    atLeast('one recorder, once it is fast', 20_000, ' events/s', one?.eventsPerSecond ?? 0),
  ]);
}

export function interactionsShown(result: ContestResult): Shown {
  const slowest = Math.min(...result.contenders.map(({ eventsPerSecond }) => eventsPerSecond));
  return contestShown(result, [atLeast('one aggregator', 40_000, ' events/s', slowest)]);
}

export function eventsShown(result: ContestResult): Shown {
  const rate = (name: string) => result.contenders.find((each) => each.name === name)?.eventsPerSecond;
  const own = rate('consent-delivery, gzip') ?? 0;
  const besides = (peer: string, limit: number): Aim[] => {
    const theirs = rate(peer);
    return theirs === undefined ? [] : [atLeast(`gzip, beside \`${peer}\``, limit, ' times', own / theirs)];
  };
  return contestShown(result, [
    atLeast('gzip', 128_000, ' events/s', own),
    ...besides('psql | gzip -1', 1.5),
    ...besides('psql | pigz -1 -p2', 1),
    ...memoryOf(result),
  ]);
}

export function exportShown(result: ContestResult): Shown {
  const gzip = result.contenders.find(({ name }) => name === 'consent-delivery, gzip');
  return contestShown(result, [atLeast('gzip', 60_000, ' events/s', gzip?.eventsPerSecond ?? 0), ...memoryOf(result)]);
}

/** P6. */
function memoryOf({ contenders }: ContestResult): Aim[] {
  return [atMost('peak memory (P6)', 256, ' MB', Math.max(...contenders.filter(isOwn).map((each) => each.peakRssMb)))];
}

function contestShown({ contenders, without = [] }: ContestResult, aims: Aim[]): Shown {
  const fastest = Math.max(...contenders.filter(isOwn).map(({ eventsPerSecond }) => eventsPerSecond));
  const ahead = contenders.filter((each) => !isOwn(each) && each.eventsPerSecond > fastest);
  return {
    aims,
    table: [
      ['', 'events/s', 'CPU s', 'Postgres CPU s', 'peak memory', 'written'],
      ...contenders.map((each) => [
        each.name + (each.note === undefined ? '' : ` (${each.note})`),
        withCommas(each.eventsPerSecond),
        each.cpuSecondsPerMillion.toFixed(1),
        each.postgresCpuSecondsPerMillion.toFixed(1),
        `${each.peakRssMb} MB`,
        each.megabytes === undefined ? '' : `${each.megabytes} MB`,
      ]),
    ],
    chart: {
      title: 'events per second',
      bars: contenders.map((each) => ({ name: each.name, value: each.eventsPerSecond, own: isOwn(each) })),
      unit: '/s',
    },
    remarks: [
      ...ahead.map(({ name }) => `**Ahead of this platform:** \`${name}\`.`),
      ...without.map((reason) => `Not measured: ${reason}.`),
    ],
  };
}

function isOwn({ name }: { name: string }): boolean {
  return name.startsWith('consent-delivery');
}

function latencyChart(title: string, plays: readonly { p99Ms: number }[], limit: number): Chart {
  const bars = plays.map(({ p99Ms }, n) => ({ name: `run ${n + 1}`, value: p99Ms, own: true }));
  return { title, bars, unit: ' ms', limit };
}
