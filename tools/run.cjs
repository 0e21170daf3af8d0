/**
 * Runs a TypeScript entry point of this workspace: bundles it (about 100 ms) and starts the bundle with Node 24 and
 * source maps, decorators and `@delivery/...` aliases included.
 *
 *   npm run <script> -- args                              the usual way: sets up what is missing, then comes here
 *   node tools/run.cjs tools/<name>/main.ts args...       the same without the set-up; any Node from 20 on
 *   node tools/run.cjs --inspect apps/<app>/main.ts       options before the entry go to Node
 *
 * What the entry can rely on
 *  - the working directory is the workspace root; the directory the user called from is in `INIT_CWD`, for paths that
 *    he typed;
 *  - it is a bundle in `dist/`: `__dirname` is not its source folder, so files are read relative to the root;
 *  - it replaces this process where the platform allows it (same pid, signals and exit code are its own);
 *  - `require.main === module` holds in the entry, and `process.argv[2]` is its first argument;
 *  - to start another entry as a child process: `spawn(process.execPath, ['tools/run.cjs', 'tools/x/main.ts'])`.
 */
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');

const { bundle, root } = require('./build/bundle.cjs');
const { node, nodeArgs, nodeEnv } = require('./build/node.cjs');

async function main() {
  const at = process.argv.findIndex((arg, index) => index > 1 && !arg.startsWith('-'));
  if (at < 0) throw new Error('usage: node tools/run.cjs [node options] <entry.ts> [arguments]');
  const nodeOptions = process.argv.slice(2, at);
  const [entry, ...args] = process.argv.slice(at);

  process.env.INIT_CWD ??= process.cwd();
  process.chdir(root);
  if (!existsSync(entry)) throw new Error(`there is no ${entry} in ${root}`);
  const file = await bundle(entry);
  start([...nodeArgs(entry), ...nodeOptions, file, ...args]);
}

function start(args, env) {
  // Taking this process's place keeps one process between the shell and the program: a signal or `kill -9` meets it.
  if (process.execve) process.execve(node, [node, ...args], env);

  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', fail);
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

function fail(error) {
  // esbuild has printed its own findings already; its exception repeats them.
  if (!error.errors) process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

main().catch(fail);
