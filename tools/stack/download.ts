import { spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock';
import { cacheDir } from './paths';

export type Progress = (line: string) => void;

/** A folder of the cache, and the file in it that the stack runs. */
export interface Download {
  name: string;
  file: string;
  /** What is going on, for whoever waits. */
  what: string;
  fill(dir: string, log: string): Promise<void>;
}

/** Kafka's jars, from Maven Central, and a logger, without which a broker that cannot start does not say why. */
export const kafkaDownload: Download = {
  name: 'kafka-4.1.0-logging',
  file: 'libs/kafka_2.13-4.1.0.jar',
  what: 'kafka: downloading 93 jars (54 MB)',
  async fill(dir, log) {
    writeFileSync(join(dir, 'pom.xml'), pom());
    const goal = ['dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-f', 'pom.xml', ...goal], { cwd: dir, log });
  },
};

/** A Python environment that holds the S3, STS and IAM server. */
export const motoDownload: Download = {
  name: 'moto-5.2.5',
  file: 'venv/bin/python',
  what: 's3: installing the S3, STS and IAM server (moto 5.2.5)',
  async fill(dir, log) {
    await run('python3', ['-m', 'venv', 'venv'], { cwd: dir, log });
    await run('venv/bin/python', ['-m', 'pip', 'install', '--quiet', 'moto[server]==5.2.5'], { cwd: dir, log });
  },
};

/** The GCS server's binary. */
export const fakeGcsDownload: Download = {
  name: 'fake-gcs-v1.52.3',
  file: 'fake-gcs-server',
  what: 'gcs: building the GCS server (fake-gcs-server 1.52.3)',
  // Without C: a compiler for it is one thing more that a machine may lack.
  fill: (dir, log) =>
    run('go', ['install', 'github.com/fsouza/fake-gcs-server@v1.52.3'], {
      cwd: dir,
      log,
      env: { GOBIN: dir, CGO_ENABLED: '0' },
    }),
};

/** The folder of a download, when it is complete. */
export function downloaded({ name, file }: Download): string | undefined {
  const dir = join(cacheDir(), name);
  return existsSync(join(dir, file)) ? dir : undefined;
}

/**
 * Makes a folder of the cache once, whoever asks. It is filled beside its place and moved there when complete, so an
 * interrupted download leaves nothing that looks finished.
 */
export async function ensureDownload(download: Download, progress: Progress): Promise<string> {
  const target = join(cacheDir(), download.name);
  const wait = () => progress(`${download.what}: another command is at it, waiting ...`);
  return downloaded(download) ?? withLock(`${target}.lock`, () => fetchInto(target, download, progress), wait);
}

async function fetchInto(target: string, download: Download, progress: Progress): Promise<string> {
  const present = downloaded(download);
  if (present !== undefined) return present;
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  progress(`${download.what} ...`);
  const timer = setInterval(() => progress(`${download.what} ... ${seconds()}`), 5000);
  // A folder of its own: a download whose owner was killed may still be running and writing into its folder.
  const partial = `${target}.partial-${process.pid}`;
  try {
    removePartials(target);
    mkdirSync(partial, { recursive: true });
    await download.fill(partial, `${target}.log`);
    // Present but without the file that matters, for example after the machine's Python was removed.
    rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
    progress(`${download.what}: done (${seconds()})`);
    return target;
  } finally {
    clearInterval(timer);
    rmSync(partial, { recursive: true, force: true });
  }
}

function removePartials(target: string): void {
  const stale = readdirSync(dirname(target)).filter((entry) => entry.startsWith(`${basename(target)}.partial`));
  for (const entry of stale) {
    try {
      rmSync(join(dirname(target), entry), { recursive: true, force: true });
    } catch {
      // What a killed command had started still writes into it: the next download removes it.
    }
  }
}

interface RunOptions {
  cwd: string;
  log: string;
  env?: Record<string, string>;
}

function run(command: string, args: string[], { cwd, log, env }: RunOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const sink = createWriteStream(log, { flags: 'a' });
    child.stdout.pipe(sink, { end: false });
    child.stderr.pipe(sink, { end: false });
    child.on('error', reject);
    child.on('close', (code) => {
      sink.end(() => {
        if (code === 0) return resolve();
        const failed = `"${command} ${args.join(' ')}" failed (exit ${code}); the end of ${log}:`;
        reject(new Error(`${failed}\n${lastLines(log, 15)}`));
      });
    });
  });
}

/** The last lines of a log file. */
export function lastLines(file: string, count: number): string {
  if (!existsSync(file)) return '(no log)';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') || '(the log is empty)';
}

function pom(): string {
  const dependencies = [
    ['org.apache.kafka', 'kafka_2.13', '4.1.0'],
    ['org.apache.kafka', 'kafka-tools', '4.1.0'],
    ['org.slf4j', 'slf4j-simple', '1.7.36'],
  ].map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>\n`;
}
