import { spawnSync } from 'node:child_process';

/** Something the machine must have; nothing of this is installed without being asked. */
export interface Tool {
  name: string;
  why: string;
  command: string;
  args: string[];
  /** Whether its output shows a version that is new enough; without it, that the command succeeds is enough. */
  accepts?(output: string): boolean;
  /** Package of Debian and Ubuntu, or a sentence where that one is too old. */
  debian: { package: string } | { instead: string };
  macos: string;
}

export const java: Tool = {
  name: 'Java 17 or newer',
  why: 'runs Kafka',
  command: 'java',
  args: ['-version'],
  accepts: (output) => Number(/version "(\d+)/.exec(output)?.[1]) >= 17,
  debian: { package: 'openjdk-17-jre-headless' },
  macos: 'brew install --cask temurin',
};

export const maven: Tool = {
  name: 'Maven',
  why: 'downloads Kafka',
  command: 'mvn',
  args: ['-v'],
  debian: { package: 'maven' },
  macos: 'brew install maven',
};

export const python: Tool = {
  name: 'Python 3.10 or newer with venv',
  why: 'runs the S3 server',
  command: 'python3',
  args: ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'],
  debian: { package: 'python3-venv' },
  macos: 'brew install python',
};

export const go: Tool = {
  name: 'Go 1.21 or newer',
  why: 'builds the GCS server',
  command: 'go',
  args: ['version'],
  accepts: (output) => {
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(output) ?? [];
    return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 21);
  },
  debian: { instead: 'https://go.dev/dl (the package of Debian 12 is too old)' },
  macos: 'brew install go',
};

/** Runs a command and answers what it printed; undefined when it is missing or fails. */
export type Ask = (command: string, args: readonly string[]) => string | undefined;

export function missingTools(wanted: readonly Tool[], ask: Ask = askMachine): Tool[] {
  return [...new Set(wanted)].filter((tool) => {
    const output = ask(tool.command, tool.args);
    return output === undefined || !(tool.accepts?.(output) ?? true);
  });
}

/** All that is missing, in words, with the commands that change it. */
export function describeMissing(missing: readonly Tool[]): string {
  const lines = missing.flatMap(({ name, why, debian, macos }) => [
    `  ${name} (${why})`,
    `    Debian, Ubuntu: ${'package' in debian ? `apt-get install ${debian.package}` : debian.instead}`,
    `    macOS:          ${macos}`,
  ]);
  const packages = missing.flatMap(({ debian }) => ('package' in debian ? [debian.package] : []));
  return [
    'The local stack needs what this machine does not have:',
    ...lines,
    ...(packages.length > 1 ? [`On Debian or Ubuntu together: apt-get install ${packages.join(' ')}`] : []),
    'Or start Docker, which is then used instead; or name servers that you have: KAFKA_BROKERS, DATABASE_URL,',
    'S3_ENDPOINT, GCS_ENDPOINT.',
  ].join('\n');
}

function askMachine(command: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? `${stdout}${stderr}` : undefined;
}
