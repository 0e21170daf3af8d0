import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

import { ensureStack, stackStatus, stopStack, type StackEnvironment } from '../stack';
import { describeTotals, sumResults } from './totals';

const help = `Runs the tests of all projects against the local stack, which is started if it is not running and then
stopped again. The last line is the total.

  npm test                          everything
  npm test -- exports-engine ...    only these projects
  npx nx test exports-engine        one project's tests, without the stack if they do not need it
`;

const results = 'test-results';
const nx = ['node_modules/.bin/nx'];

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(help);
  const projects = chooseProjects(args);
  const found = await stackStatus();
  const wasRunning = found.some(({ state }) => state === 'running' || state === 'not answering');
  // Ctrl-C reaches Nx as well; this process stays for what is left to tidy up.
  process.on('SIGINT', () => undefined);
  try {
    const environment = await ensureStack({ progress: (line) => void process.stderr.write(`${line}\n`) });
    rmSync(results, { recursive: true, force: true });
    await runTests(projects, environment);
  } finally {
    if (!wasRunning) await stopStack();
  }
  const totals = sumResults(results, projects);
  process.stdout.write(`\n${describeTotals(totals).join('\n')}\n`);
  process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}

/** The projects that have tests, or those asked for. */
function chooseProjects(wanted: readonly string[]): string[] {
  const listed = spawnSync(process.execPath, [...nx, 'show', 'projects', '--with-target', 'test', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (listed.status !== 0) throw new Error('Nx could not read the workspace; its message is above.');
  const known: string[] = JSON.parse(listed.stdout);
  const unknown = wanted.filter((project) => !known.includes(project));
  if (unknown.length > 0) {
    throw new Error(`No tests in: ${unknown.join(', ')}. There are tests in: ${known.sort().join(', ')}.`);
  }
  return wanted.length > 0 ? [...wanted] : known;
}

/** Nx's own verdict is not asked for: the results say more, and a run without a result counts as failed. */
function runTests(projects: readonly string[], environment: StackEnvironment): Promise<void> {
  const args = ['run-many', '--targets', 'test', '--projects', projects.join(','), '--output-style', 'static'];
  const child = spawn(process.execPath, [...nx, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return new Promise((resolve, reject) => {
    child.on('exit', () => resolve());
    child.on('error', reject);
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // The tests that could not be run have not passed.
  process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
});
