import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './paths';
import { withLock } from './state';

export type Progress = (line: string) => void;

export const versions = { kafka: '4.1.0', moto: '5.2.5', fakeGcs: 'v1.52.3' } as const;

/** Folder with Kafka's jars, from Maven Central. */
export function kafkaJars(progress: Progress): Promise<string> {
  return once(`kafka-${versions.kafka}`, progress, 'kafka: downloading the broker (about 90 jars, 54 MB)', async (dir, log) => {
    writeFileSync(join(dir, 'pom.xml'), pom());
    const args = ['-q', '-B', '-f', 'pom.xml', 'dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime'];
    await run('mvn', args, dir, log);
  });
}

/** Folder of a Python environment that holds the S3, STS and IAM server. */
export function motoEnvironment(progress: Progress): Promise<string> {
  return once(`moto-${versions.moto}`, progress, 's3: installing the S3, STS and IAM server (moto)', async (dir, log) => {
    await run('python3', ['-m', 'venv', 'venv'], dir, log);
    await run('venv/bin/python', ['-m', 'pip', 'install', '--quiet', `moto[server]==${versions.moto}`], dir, log);
  });
}

/** Folder of the GCS server's binary. */
export function fakeGcsBinary(progress: Progress): Promise<string> {
  return once(`fake-gcs-${versions.fakeGcs}`, progress, 'gcs: building the GCS server (fake-gcs-server)', (dir, log) =>
    run('go', ['install', `github.com/fsouza/fake-gcs-server@${versions.fakeGcs}`], dir, log, { GOBIN: dir }),
  );
}

/**
 * Makes a folder of the cache once. It is filled beside its place and moved there when complete, so an interrupted
 * download leaves nothing that looks finished.
 */
async function once(
  name: string,
  progress: Progress,
  what: string,
  fill: (dir: string, log: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheDir(), name);
  if (existsSync(target)) return target;
  return withLock(`${target}.lock`, async () => {
    if (existsSync(target)) return target;
    const began = Date.now();
    progress(`${what} ...`);
    const timer = setInterval(() => progress(`${what} ... ${Math.round((Date.now() - began) / 1000)} s`), 10_000);
    const partial = `${target}.partial`;
    try {
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      await fill(partial, `${target}.log`);
      renameSync(partial, target);
      return target;
    } finally {
      clearInterval(timer);
    }
  });
}

function run(command: string, args: string[], cwd: string, log: string, env: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const sink = createWriteStream(log, { flags: 'a' });
    child.stdout.pipe(sink, { end: false });
    child.stderr.pipe(sink, { end: false });
    child.on('error', reject);
    child.on('exit', (code) => {
      sink.end(() => {
        if (code === 0) return resolve();
        const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
        reject(new Error(`"${command} ${args.join(' ')}" failed (exit ${code}); the end of ${log}:\n${tail}`));
      });
    });
  });
}

function pom(): string {
  const dependency = (id: string) =>
    `<dependency><groupId>org.apache.kafka</groupId><artifactId>${id}</artifactId><version>${versions.kafka}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies>${dependency('kafka_2.13')}${dependency('kafka-tools')}</dependencies></project>\n`;
}
