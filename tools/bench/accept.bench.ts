import { Agent, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthConfig, SessionTokens } from '@delivery/platform/auth';
import { loadConfig } from '@delivery/platform/config';
import { consentEvents, take } from './generator';
import { median, processUsage } from './measure';
import { openRig, type Rig, say, startApp, stopApp } from './rig';
import { scrape, taken } from './scrape';

export interface AcceptOptions {
  events: number;
  users: number;
  partitions: number;
  runs: number;
}

const port = 18_081;
const perArray = 100;
const connections = 8;
/** Arrays and single events a second while single events are timed: 5,000 events/s, half of the aim. */
const arraysPerSecond = 50;
const singlesPerSecond = 100;
const latencySeconds = 15;

/** P1: REST to Kafka by one consent-ingest process, acknowledged by the broker; then what a single event waits. */
export async function benchAccept(options: AcceptOptions) {
  const rig = await openRig(options.partitions);
  try {
    await rig.database.query(`INSERT INTO organization (organization_id, name) VALUES ('acme', 'Acme')`);
    const client = await Client.open(rig);
    const app = await startApp('consent-ingest', { ...rig.environment, INGEST_ROLES: 'accept' }, port);
    const bodies = arrays(options);
    const runs = [];
    for (let run = 0; run <= options.runs; run += 1) {
      const result = await throughput(client, bodies, options.events, app.pid ?? 0);
      say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${JSON.stringify(result)}`);
      if (run > 0) runs.push(result);
    }
    const plays = [];
    for (let run = 0; run < options.runs; run += 1) {
      const played = await play(client, bodies);
      say(`single events at ${arraysPerSecond * perArray} events/s: ${JSON.stringify(played)}`);
      plays.push(played);
    }
    const { peakRssMb } = processUsage(app.pid ?? 0);
    await stopApp(app);
    const medianEventsPerSecond = median(runs.map((run) => run.eventsPerSecond));
    const latency = {
      p50Ms: median(plays.map((play) => play.p50Ms)),
      p99Ms: median(plays.map((play) => play.p99Ms)),
      plays,
    };
    return { benchmark: 'P1 accept', options, medianEventsPerSecond, latency, peakRssMb, runs };
  } finally {
    await rig.close();
  }
}

function arrays({ users }: AcceptOptions): Buffer[] {
  const generator = consentEvents({ organization: 'acme', users });
  return Array.from({ length: 100 }, () => Buffer.from(JSON.stringify(take(generator, perArray))));
}

/** A few connections, each sending the next array as soon as the last one is answered. */
async function throughput(client: Client, bodies: readonly Buffer[], events: number, pid: number) {
  let left = Math.ceil(events / perArray);
  const before = processUsage(pid).cpuSeconds;
  const began = performance.now();
  const connection = async () => {
    while (left > 0) await client.post(bodies[(left -= 1) % bodies.length] ?? Buffer.alloc(0), 200);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - began) / 1000;
  const cpuSeconds = processUsage(pid).cpuSeconds - before;
  return {
    eventsPerSecond: Math.round(events / seconds),
    cpuSecondsPerMillion: Number(((cpuSeconds / events) * 1e6).toFixed(1)),
  };
}

/**
 * One play of latencies, with what explains it: how late this process's own event loop was, and what the service says of
 * itself.
 */
async function play(client: Client, bodies: readonly Buffer[]) {
  const before = await scrape(port);
  const ownLoop = monitorEventLoopDelay({ resolution: 1 });
  ownLoop.enable();
  const waits = await latencies(client, bodies);
  ownLoop.disable();
  const after = await scrape(port);
  const toMs = (value: number, perMs: number) => Number((value / perMs).toFixed(1));
  return {
    ...waits,
    client: { loopP99Ms: toMs(ownLoop.percentile(99), 1e6), loopMaxMs: toMs(ownLoop.max, 1e6) },
    service: {
      single: taken('http_request_duration_seconds', { method: 'POST', status: '202' }, before, after),
      array: taken('http_request_duration_seconds', { method: 'POST', status: '200' }, before, after),
      publish: taken('kafka_publish_seconds', { outcome: 'ok' }, before, after),
      loopP99Ms: toMs(after.get('nodejs_eventloop_lag_p99_seconds') ?? 0, 1e-3),
      loopMaxMs: toMs(after.get('nodejs_eventloop_lag_max_seconds') ?? 0, 1e-3),
    },
  };
}

/** Requests leave at their times whether or not earlier ones were answered: a slow server cannot hide its queue. */
async function latencies(client: Client, bodies: readonly Buffer[]) {
  const single = Buffer.from(JSON.stringify(take(consentEvents({ organization: 'acme', users: 1 }), 1)[0]));
  const waits: number[] = [];
  const answers: Promise<unknown>[] = [];
  const began = performance.now();
  const tick = 1000 / singlesPerSecond;
  for (let n = 0; n < latencySeconds * singlesPerSecond; n += 1) {
    await delay(Math.max(0, began + n * tick - performance.now()));
    const due = began + n * tick;
    answers.push(client.post(single, 202).then(() => waits.push(performance.now() - due)));
    if (n % (singlesPerSecond / arraysPerSecond) === 0)
      answers.push(client.post(bodies[n % bodies.length] ?? single, 200));
  }
  await Promise.all(answers);
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1));
  return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  private constructor(private readonly token: string) {}

  static async open(rig: Rig): Promise<Client> {
    const tokens = SessionTokens.fromConfig(loadConfig(AuthConfig, rig.environment));
    const { token } = await tokens.issue({ organizationId: 'acme', keyId: 'bench' });
    return new Client(token);
  }

  /** @throws when the answer is another than expected. */
  post(body: Buffer, expected: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          port,
          method: 'POST',
          path: '/v1/consents/events',
          agent: this.agent,
          headers: {
            authorization: `Bearer ${this.token}`,
            'content-type': 'application/json',
            'content-length': body.length,
            prefer: 'respond-async', // answered when Kafka has acknowledged, without waiting for the recorder
          },
        },
        (answer) => {
          answer.resume();
          answer.once('end', () => {
            if (answer.statusCode === expected) resolve();
            else reject(new Error(`POST /v1/consents/events answered ${answer.statusCode}`));
          });
          answer.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  }
}
