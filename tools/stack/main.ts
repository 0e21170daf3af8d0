import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors';
import { stackDir } from './paths';
import { ensureStack, resetStack, stackStatus, stopStack } from './stack';
import { partNames } from './state';

const help = `The local stack: Apache Kafka, PostgreSQL, an S3+STS+IAM server and a GCS server, on 127.0.0.1 only.

  npm run stack -- up        start what is not running (the parts survive this command)
  npm run stack -- down      stop all; the next start begins empty
  npm run stack -- status    what runs, and where
  npm run stack -- reset     stop all and remove all data
  npm run stack -- env       KEY=VALUE lines for services and tests
  npm run stack -- logs [kafka|postgres|s3|gcs]
  --json                     with up and status: one JSON object on stdout

Environment
  KAFKA_BROKERS, DATABASE_URL, S3_ENDPOINT, GCS_ENDPOINT   use this server instead of starting one
  STACK_MODE=native|docker|auto   auto: native, or containers where a tool is missing and Docker answers
  STACK_DIR                  state and logs (default .stack)
  CONSENT_DELIVERY_CACHE     downloads (default ~/.cache/consent-delivery)
`;

const progress = (line: string) => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const [command, part] = args.filter((arg) => !arg.startsWith('--'));
  if (args.includes('--help') || command === undefined) return void process.stdout.write(help);
  switch (command) {
    case 'up': {
      const environment = await ensureStack({ progress });
      if (json) process.stdout.write(`${JSON.stringify(environment)}\n`);
      else await printStatus(false);
      return;
    }
    case 'down':
      return stopStack();
    case 'reset':
      return resetStack();
    case 'status':
      return printStatus(json);
    case 'env':
      return printEnvironment();
    case 'logs':
      return printLogs(part);
    default:
      process.stderr.write(`Unknown command "${command}".\n\n${help}`);
      process.exitCode = 64;
  }
}

async function printStatus(json: boolean): Promise<void> {
  const status = await stackStatus();
  if (json) return void process.stdout.write(`${JSON.stringify(status)}\n`);
  for (const part of status) {
    const word = part.external ? 'external' : part.healthy ? 'running' : part.running ? 'not answering' : 'stopped';
    process.stdout.write(`${part.name.padEnd(10)} ${word.padEnd(14)} ${part.address}\n`);
  }
  if (!json && status.some((part) => !part.healthy)) process.exitCode = 1;
}

function printEnvironment(): void {
  const file = join(stackDir(), 'env');
  if (!existsSync(file)) {
    process.stderr.write('The local stack is not running: npm run stack -- up\n');
    process.exitCode = 1;
    return;
  }
  process.stdout.write(readFileSync(file, 'utf8'));
}

function printLogs(part: string | undefined): void {
  for (const name of part === undefined ? partNames : [part]) {
    const file = join(stackDir(), 'logs', `${name}.log`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-50) : ['(no log)'];
    process.stdout.write(`== ${name}: ${file}\n${lines.join('\n')}\n`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof StackError && error.code === 'tools_missing' ? 78 : 1;
});
