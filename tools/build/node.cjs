/** How a bundle is started: the Node of the workspace, source maps, and a cache of compiled packages. */
const { join, resolve } = require('node:path');

const modules = resolve(__dirname, '..', '..', 'node_modules');

const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

// Features of Node that are used knowingly, and kafkajs asking for timers in the past.
const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'].map((type) => `--disable-warning=${type}`);

/**
 * Arguments before the bundle's path. A batch in hand (megabytes of events, parsed and written again) outlives the 16 MB
 * that Node gives young objects: with twice as much a recorder spends a tenth less time on collecting garbage.
 */
const nodeArgs = ['--enable-source-maps', '--max-semi-space-size=32', ...quiet];

/** The environment of a bundle: the given one, and where Node keeps compiled code for the next start. */
function nodeEnv(env) {
  return { NODE_COMPILE_CACHE: join(modules, '.cache', 'node'), ...env };
}

module.exports = { node, nodeArgs, nodeEnv };
