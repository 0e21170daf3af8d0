import { parseArgs } from 'node:util';
import { ServiceRegistry } from '../services/registry';
import { externalParts } from './environment';
import { codeOf, messageOf, StackError } from './errors';
import { stackDir } from './paths';
import { ensureStack, resetStack, runningEnvironment, stackStatus, stopStack, type PartStatus } from './stack';
import { endOfLog } from './start-part';
import { partNames, readState } from './state';

const help = `The local stack: Apache Kafka, PostgreSQL, an S3+STS+IAM server and a GCS server, on 127.0.0.1 only.

  npm run stack -- up           start what is not running; the parts keep running after this command
  npm run stack -- down         stop all, and services that a demo left running; the next start begins empty,
                                because the object stores live in memory
  npm run stack -- status       what runs, and where (exit code 1 unless everything does)
  npm run stack -- reset        stop all and remove topics, database, buckets and logs
  npm run -s stack -- env       KEY=VALUE lines for services and tests, and nothing else (-s: npm is silent)
  npm run stack -- logs [part]  the end of the logs; parts: ${partNames.join(', ')}

  --json    up: the environment, status: the parts; one JSON value on stdout (npm run -s stack -- up --json)

When an object store ends otherwise (kill -9, a restart of the machine), the next start begins empty as well and says
so: topics, database and buckets are kept together or forgotten together. Kafka and Postgres alone may die and come
back with what they held.

Environment
  KAFKA_BROKERS, DATABASE_URL, S3_ENDPOINT, GCS_ENDPOINT    a server of yours in place of the stack's own, with
                            KAFKA_SSL.., KAFKA_SASL_.., DATABASE_SSL.., STS_ENDPOINT, IAM_ENDPOINT, AWS_..
  STACK_MODE                native, docker, or auto (default): containers where a tool is missing and Docker answers
  STACK_DIR                 state, data and logs (default: .stack)
  STACK_KAFKA_PROXIED       <port>:<told port>, a further listener of Kafka for clients behind a proxy (native only)
  CONSENT_DELIVERY_CACHE    downloads, shared by all checkouts (default: ~/.cache/consent-delivery)
`;

const labels = { kafka: 'Kafka', postgres: 'PostgreSQL', s3: 'S3, STS, IAM', gcs: 'Cloud Storage' } as const;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const [command, part] = positionals;
  if (values.help || command === undefined) return print(help, values.help ? 0 : 64);
  switch (command) {
    case 'up':
      return up(values.json);
    case 'down':
      await endServices();
      await stopStack({ progress });
      progress(`Stopped.${forgets() ? ' The next start begins empty: the object stores kept nothing.' : ''}`);
      return 0;
    case 'reset':
      await endServices();
      await resetStack({ progress });
      progress('Stopped, and everything removed.');
      return 0;
    case 'status':
      return status(values.json);
    case 'env':
      return env();
    case 'logs':
      return logs(part);
    default:
      progress(`There is no command "${command}".\n\n${help}`);
      return 64;
  }
}

async function up(json: boolean): Promise<number> {
  const environment = await ensureStack({ progress });
  if (json) return print(`${JSON.stringify(environment)}\n`);
  print(table(await stackStatus()));
  progress('Variables for services: npm run stack -- env. Stop: npm run stack -- down.');
  return 0;
}

async function status(json: boolean): Promise<number> {
  const found = await stackStatus();
  print(json ? `${JSON.stringify(found)}\n` : table(found));
  return found.every(({ state }) => state === 'running' || state === 'external') ? 0 : 1;
}

/** Services would only complain of a stack that is gone; those of a running `npm start` are its own business. */
async function endServices(): Promise<void> {
  const ended = await new ServiceRegistry(stackDir()).endAbandoned();
  if (ended.length > 0) progress(`Services that were left running: ended ${ended.join(', ')}.`);
}

function table(found: readonly PartStatus[]): string {
  const row = ({ name, state, address }: PartStatus) =>
    `${name.padEnd(10)}${labels[name].padEnd(15)}${state.padEnd(15)}${address}\n`;
  return found.map(row).join('');
}

async function env(): Promise<number> {
  const lines = await runningEnvironment();
  if (lines !== undefined) return print(lines);
  progress('The local stack is not running. Start it: npm run stack -- up');
  return 1;
}

async function logs(part: string | undefined): Promise<number> {
  const wanted = partNames.filter((name) => part === undefined || name === part);
  if (wanted.length === 0) {
    progress(`There is no part "${part}"; the parts are ${partNames.join(', ')}.`);
    return 64;
  }
  const dir = stackDir();
  const running = readState(dir).parts;
  for (const name of wanted) print(`== ${name}\n${await endOfLog({ name }, running[name], dir, 50)}\n`);
  return 0;
}

/** Whether something of ours kept its contents in memory. */
function forgets(): boolean {
  const external = externalParts();
  const { contents } = readState(stackDir());
  return partNames.some((name) => contents[name] === 'in memory' && !external.includes(name));
}

function print(text: string, code = 0): number {
  process.stdout.write(text);
  return code;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const unknownOption = codeOf(error)?.startsWith('ERR_PARSE_ARGS') ?? false;
    progress(error instanceof StackError ? error.message : messageOf(error));
    process.exitCode = error instanceof StackError ? error.exitCode : unknownOption ? 64 : 1;
  },
);
