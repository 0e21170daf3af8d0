import { parseArgs } from 'node:util';
import { stackStatus, stopStack } from '../stack';
import { type Platform, startPlatform } from '../services';
import { describe, furtherSteps, offCounts, summary } from './report';
import { runDemo } from './run-demo';

const help = `The main job, from start to end: consent events go in over Kafka and REST, and come out in an S3 and a GCS bucket;
what comes out is read back and compared with what went in, by code that shares nothing with the platform.

  npm run demo
  --messages N   messages from the Kafka producer (20000)
  --users N      users they are about (4000)
  --keep         leave stack and services running
  --json         print the result as one JSON object; all else goes to stderr
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      messages: { type: 'string', default: '20000' },
      users: { type: 'string', default: '4000' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const began = performance.now();
  const say = (line: string) => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  const stackWasUp = (await stackStatus()).every((part) => part.state === 'running' || part.state === 'external');
  let platform: Platform | undefined;
  const stop = async () => {
    await platform?.supervisor.stop();
    if (!stackWasUp) await stopStack();
  };
  process.once('SIGINT', () => void stop().finally(() => process.exit(130)));
  try {
    platform = await startPlatform(say);
    const result = await runDemo(platform, { messages: Number(values.messages), users: Number(values.users), say });
    const counts = summary(result, Number(((performance.now() - began) / 1000).toFixed(1)));
    const off = offCounts(counts);
    say(describe(result, counts, off));
    if (values.keep) say(`\n${furtherSteps(result, platform)}`);
    if (values.json) process.stdout.write(`${JSON.stringify({ ...counts, off })}\n`);
    if (off.length > 0) process.exitCode = 1;
  } finally {
    if (values.keep) platform?.supervisor.release();
    else await stop();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
