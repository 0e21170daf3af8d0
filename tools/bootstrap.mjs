/**
 * What every npm script goes through: sets up the dependencies if they are missing or out of date, then continues
 * under the Node 24 that comes with them. Plain JavaScript without imports from npm, because on a fresh clone it runs
 * before anything is installed, on whatever Node the machine has.
 *
 *   node tools/bootstrap.mjs tools/demo/main.ts --keep     a TypeScript entry, through tools/run.cjs
 *   node tools/bootstrap.mjs nx run-many -t lint           a command of an installed package
 *   node tools/bootstrap.mjs                               only the set-up
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const commands = join(modules, '.bin');
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const lock = join(root, '.bootstrap.lock');

const minimum = [20, 19];

function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return;
  stop(
    `Node ${process.versions.node} is too old: ${minimum.join('.')} or newer is needed to install the dependencies ` +
      '(which bring their own Node 24).\nGet it from https://nodejs.org, or with a version manager: nvm install 24',
  );
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether node_modules holds what package-lock.json names: npm keeps a list of what it installed. */
function installed() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const present = readJson(join(modules, '.package-lock.json'))?.packages;
  if (!present || !existsSync(node)) return false;
  return Object.entries(wanted).every(
    // Packages for other platforms are optional and not installed here.
    ([path, { version, optional, devOptional }]) =>
      path === '' || present[path]?.version === version || (!present[path] && (optional || devOptional)),
  );
}

/** `npm ci` empties node_modules first: of two commands started together only one may run it. */
async function withLock(work) {
  for (let told = false; !takeLock(); told = true) {
    if (!told) say('Waiting for another command that is installing the dependencies ...');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  process.on('exit', () => rmSync(lock, { force: true }));
  await work();
  rmSync(lock, { force: true });
}

function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!abandoned()) return false;
    rmSync(lock, { force: true });
    return takeLock();
  }
}

/** The owner is gone, or it is so long ago that its pid is somebody else's now. */
function abandoned() {
  try {
    const old = Date.now() - statSync(lock).mtimeMs > 15 * 60_000;
    return old || !alive(Number(readFileSync(lock, 'utf8')));
  } catch (error) {
    if (error.code === 'ENOENT') return true;
    throw error;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function install() {
  if (installed()) return;
  say(
    existsSync(modules)
      ? 'The dependencies are out of date: installing them again ...'
      : 'Installing the dependencies (once; a minute or two) ...',
  );
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const progress = setInterval(() => say(`  still installing, ${seconds()} ...`), 20_000);
  const status = await npmCi().finally(() => clearInterval(progress));
  if (status !== 0) {
    stop(
      'npm could not install the dependencies; its messages are above. Behind a proxy or a mirror: ' +
        'npm config set registry <url>, npm config set proxy <url>; then run the command again.',
    );
  }
  if (!existsSync(node) || spawnSync(node, ['--version']).status !== 0) {
    stop(
      `${node} does not work: npm did not run the install script of the "node" package. ` +
        'Allow install scripts (npm config delete ignore-scripts) and run: npm rebuild node',
    );
  }
  say(`Dependencies installed in ${seconds()}.`);
}

function npmCi() {
  // Without node_modules/.bin: npm would run under the Node that it is about to delete.
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== commands);
  // Only errors: npm compares the packages with the machine's Node, under which they never run.
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // Standard output belongs to the command that was asked for, which may print JSON.
    stdio: ['inherit', 2, 2],
    env: { ...process.env, PATH: path.join(delimiter) },
    shell: process.platform === 'win32',
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('error', (error) =>
      stop(
        error.code === 'ENOENT'
          ? 'npm was not found. It comes with Node: https://nodejs.org (on Debian and Ubuntu: apt-get install npm).'
          : `npm could not be started: ${error.message}`,
      ),
    );
  });
}

function commandOf(target) {
  if (target.endsWith('.ts')) return [join(root, 'tools', 'run.cjs'), target];
  const entry = join(commands, target);
  if (!existsSync(entry)) stop(`There is no command "${target}" among the dependencies.`);
  return [entry];
}

function continueWith([target, ...args]) {
  const command = [...commandOf(target), ...args];
  const env = { ...process.env, PATH: [commands, process.env.PATH].join(delimiter) };
  // Nx colours what it captures, terminal or not.
  if (!process.stdout.isTTY && env.FORCE_COLOR === undefined && env.NO_COLOR === undefined) env.FORCE_COLOR = '0';
  env.INIT_CWD ??= process.cwd();
  process.chdir(root);
  if (process.execve) process.execve(node, [node, ...command], env);

  const child = spawn(node, command, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => stop(error.message));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

checkNode();
if (!installed()) await withLock(install);
const args = process.argv.slice(2);
if (args.length > 0) continueWith(args);
