import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './measure';
import { benchAccept } from './accept.bench';
import { benchDownload, benchedStores } from './download.bench';
import { benchExport } from './export.bench';
import { benchIdle } from './idle.bench';
import { benchInteractions } from './interactions.bench';
import { benchProfile } from './profile.bench';
import { benchRecord } from './record.bench';
import { writePage } from './page';
import { benchShape } from './shape.bench';

const help = `Benchmarks against the local stack.

  npm run bench -- accept [--events 200000] [--users 40000] [--partitions 3] [--runs 5]
                     P1: REST to Kafka, arrays of 100 events, one process; then how long a single event waits
  npm run bench -- record [--events 200000] [--users 40000] [--partitions 3] [--runs 5]
                     P2: Kafka to Postgres, exactly once, one recorder
  npm run bench -- interactions [--events 500000] [--users 100000] [--partitions 3] [--runs 5]
                     P3: interactions from Kafka to Postgres, counted exactly once, one aggregator
  npm run bench -- events [--events 1000000] [--users 200000] [--partitions 12] [--runs 5]
                     P4: recorded events to files, each a line; beside psql with gzip, pigz and zstd, and dlt
  npm run bench -- export [--events 1000000] [--users 200000] [--partitions 12] [--runs 5]
                     P5, P6: recorded events to files, grouped by user; beside psql | gzip -1
  npm run bench -- download [--store file|s3|gcs] [--parallel 1000] [--runs 5]
                     P7: requests for links to reports, 500 a second, signed by the gateway or for a bucket; then memory, with
                     many downloads at once
  npm run bench -- idle [--rest 60]
                     P8: start to ready of all services, and their memory at rest
  npm run bench -- shape [--events 200000] [--users 40000] [--runs 5]
                     what validating, folding and writing one event costs, without Kafka and Postgres
  npm run bench -- profile [--events 200000] [--users 40000] [--partitions 3]
                     what each microsecond of recording goes to, in the recorder and in Postgres
  BENCH_NODE_OPTIONS options for the Node that is measured, such as --cpu-prof
  npm run bench -- page
                     the page of results and its charts, from docs/benchmarks/raw/
  --save             write the raw result to docs/benchmarks/raw/
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      events: { type: 'string' },
      users: { type: 'string' },
      partitions: { type: 'string' },
      runs: { type: 'string', default: '5' },
      rest: { type: 'string', default: '60' },
      parallel: { type: 'string', default: '1000' },
      store: { type: 'string', default: 'file' },
    },
  });
  const [name] = positionals;
  if (values.help || name === undefined) return void process.stdout.write(help);
  if (name === 'page') return writePage();
  const numbers = (events: number, users: number, partitions: number) => ({
    events: Number(values.events ?? events),
    users: Number(values.users ?? users),
    partitions: Number(values.partitions ?? partitions),
    runs: Number(values.runs),
  });
  const benchmarks: Record<string, () => Promise<object>> = {
    accept: () => benchAccept(numbers(200_000, 40_000, 3)),
    record: () => benchRecord(numbers(200_000, 40_000, 3)),
    interactions: () => benchInteractions(numbers(500_000, 100_000, 3)),
    events: () => benchExport('events', numbers(1_000_000, 200_000, 12)),
    export: () => benchExport('users', numbers(1_000_000, 200_000, 12)),
    profile: () => benchProfile(numbers(200_000, 40_000, 3)),
    shape: () => Promise.resolve(benchShape(numbers(200_000, 40_000, 3))),
    download: () => {
      const store = benchedStores.find((each) => each === values.store);
      if (store === undefined) throw new Error(`--store is one of ${benchedStores.join(', ')}`);
      return benchDownload({ runs: Number(values.runs), store, parallel: Number(values.parallel) });
    },
    idle: () => benchIdle({ restSeconds: Number(values.rest) }),
  };
  const benchmark = benchmarks[name];
  if (benchmark === undefined) throw new Error(`There is no benchmark "${name}".\n\n${help}`);
  const result = { at: new Date().toISOString(), machine: machine(), ...(await benchmark()) };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(text);
  if (values.save) {
    const folder = join('docs', 'benchmarks', 'raw');
    mkdirSync(folder, { recursive: true });
    const variant = name === 'download' && values.store !== 'file' ? `links-${values.store}` : name;
    writeFileSync(join(folder, `${variant}-${result.at.slice(0, 10)}.json`), text);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
