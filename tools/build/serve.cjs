/**
 * `npx nx serve <app>` (or `npm run serve -- <app>`): one service against the local stack, which is started if it is
 * not running; built again and restarted whenever a file it uses changes. Ctrl-C stops it and leaves the stack.
 */
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const { outfileOf, root, settings } = require('./bundle.cjs');
const { node, nodeArgs, nodeEnv } = require('./node.cjs');

const run = join(root, 'tools', 'run.cjs');

/** Runs one of the other commands to its end and answers what it printed. */
function command(args, env = process.env) {
  const { status, stdout } = spawnSync(process.execPath, [run, ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`"${args.join(' ')}" failed; its message is above.`);
  return stdout;
}

/** The service as a process that can be replaced; asked twice for a replacement it makes one. */
class Service {
  constructor(entry, env) {
    this.file = outfileOf(entry);
    this.args = [...nodeArgs(entry), this.file];
    this.env = env;
    this.turn = Promise.resolve();
  }

  restart() {
    this.turn = this.turn.then(() => this.replace());
    return this.turn;
  }

  async replace() {
    await this.stop();
    this.child = spawn(node, this.args, { cwd: root, env: this.env, stdio: 'inherit' });
    this.child.on('exit', (code, signal) => {
      if (!this.stopping) console.error(`The service ended (${signal ?? code}); waiting for a change ...`);
    });
  }

  /** Graceful, so that what a restart does to the data is what a deployment does. */
  async stop() {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.stopping = true;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    this.stopping = false;
  }
}

async function main(app) {
  const entry = `${app}/main.ts`;
  if (!app || !existsSync(join(root, entry))) throw new Error(`usage: node tools/build/serve.cjs apps/<app>`);
  const env = nodeEnv({ ...process.env, ...JSON.parse(command(['tools/stack/main.ts', 'up', '--json'])) }, entry);
  command(['tools/migrate/main.ts'], env);
  command(['tools/topics/main.ts'], env);

  const service = new Service(entry, env);
  const base = settings(entry);
  const restart = {
    name: 'restart',
    setup: (build) => build.onEnd(({ errors }) => (errors.length === 0 ? service.restart() : undefined)),
  };
  const context = await require('esbuild').context({ ...base, plugins: [...base.plugins, restart] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, async () => {
      service.stopping = true;
      await service.stop();
      process.exit(0);
    });
  }
  await context.watch();
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
