/** How a bundle is started: the Node of the workspace, source maps, and a cache of compiled packages. */
const { join, resolve } = require('node:path');

const modules = resolve(__dirname, '..', '..', 'node_modules');

const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

// Features of Node that are used knowingly, and kafkajs asking for timers in the past.
const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'].map((type) => `--disable-warning=${type}`);

/** Arguments before the bundle's path. */
const nodeArgs = ['--enable-source-maps', ...quiet];

/** The environment of a bundle: the given one, and where Node keeps compiled code for the next start. */
function nodeEnv(env) {
  return { NODE_COMPILE_CACHE: join(modules, '.cache', 'node'), ...env };
}

module.exports = { node, nodeArgs, nodeEnv };
