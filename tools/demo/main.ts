import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Interrupted, portsFor, preparePlatform, stopSignal, Supervisor, untilStopped } from '../services';
import { stackDir } from '../stack';
import { describe, furtherSteps, offCounts, summarize } from './report';
import { runDemo } from './run-demo';

const help = `The main job, from start to end: consent events go in over Kafka and REST, and come out in an S3 and a GCS bucket;
what comes out is read back and compared with what went in, by code that shares nothing with the platform. Then interactions
with consent banners go in, and reports about them come out, downloaded and compared with a recount of the log.

  npm run demo
  --messages N   messages from the Kafka producer (20000)
  --users N      users they are about (4000)
  --interactions N   interactions from another producer (5000)
  --keep         leave stack and services running
  --json         print the result as one JSON object on standard output; all else goes to standard error

Each run makes an organization of its own. Exit code 1 if any count is off.
`;

interface Options {
  messages: number;
  users: number;
  interactions: number;
  keep: boolean;
  json: boolean;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      messages: { type: 'string', default: '20000' },
      users: { type: 'string', default: '4000' },
      interactions: { type: 'string', default: '5000' },
    },
  });
  if (values.help) return undefined;
  const { keep, json } = values;
  return {
    messages: wholeNumber('messages', values.messages),
    users: wholeNumber('users', values.users),
    interactions: wholeNumber('interactions', values.interactions),
    keep,
    json,
  };
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} must be a whole number above 0, not "${text}".`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return void process.stdout.write(help);
  const began = performance.now();
  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const stopped = stopSignal();
  const platform = await preparePlatform(say, { own: true });
  const ports = await portsFor();
  const downloads = `http://127.0.0.1:${ports.get('download-gateway')}`;
  const supervisor = new Supervisor({
    environment: { ...platform.environment, LOG_LEVEL: 'warn', DOWNLOAD_PUBLIC_URL: downloads },
    logs: join(stackDir(), 'logs'),
    say,
    onChange: (running) => platform.registry.note(running),
  });
  let finished = false;
  try {
    await untilStopped(stopped, supervisor.start(ports));
    const urls = {
      api: supervisor.urlOf('integrations-api'),
      ingest: supervisor.urlOf('consent-ingest'),
      downloads: supervisor.urlOf('download-gateway'),
    };
    const result = await untilStopped(stopped, runDemo({ environment: platform.environment, urls, say }, options));
    const summary = summarize(result, (performance.now() - began) / 1000);
    const off = offCounts(summary);
    say(describe(result, summary, off));
    say(furtherSteps(result, urls, options.keep));
    if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, off })}\n`);
    if (off.length > 0) process.exitCode = 1;
    finished = true;
  } finally {
    if (options.keep && finished) supervisor.release();
    else {
      await supervisor.stop();
      await platform.stopStack();
    }
  }
}

main()
  .then(() => process.exit())
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof Interrupted ? error.exitCode : 1);
  });
