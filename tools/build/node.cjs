/** How a bundle is started: the Node of the workspace, source maps, and for commands a cache of compiled packages. */
const { join, resolve } = require('node:path');

const modules = resolve(__dirname, '..', '..', 'node_modules');

const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

// From the root, where every bundle is started: this file may itself be part of a bundle, whose folder is another.
const sourceMaps = '--require=./tools/build/source-maps.cjs';

// Features of Node that are used knowingly, and kafkajs asking for timers in the past.
const quiet = ['ExperimentalWarning', 'TimeoutNegativeWarning'].map((type) => `--disable-warning=${type}`);

/**
 * Megabytes for young objects, where Node's 16 do not fit the work. A recorder's batch in hand (events parsed and written
 * again) outlives them: with 32 it spends a tenth less time on collecting garbage. An exporter, and the gateway, make little but
 * buffers, which are freed when young objects are collected: with 2 an exporter holds 50 MB less of them, and the gateway
 * 100 KB less for each download.
 */
const youngMegabytes = {
  'analytics-aggregator': 32,
  'consent-ingest': 32,
  'download-gateway': 2,
  'exporter-s3': 2,
  'exporter-gcs': 2,
};

/** Options of Node for an app's work; containers get the same as `NODE_OPTIONS`. */
function memoryArgs(app) {
  const megabytes = youngMegabytes[app];
  return megabytes === undefined ? [] : [`--max-semi-space-size=${megabytes}`];
}

/** Arguments before the path of an entry's bundle. */
function nodeArgs(entry) {
  return [sourceMaps, ...memoryArgs(/(?:^|[/\\])apps[/\\]([^/\\]+)/.exec(entry)?.[1]), ...quiet];
}

/**
 * The environment of a bundle: the given one, and for commands where Node keeps compiled code for the next start. Not for
 * services: Node holds what it has read from there, 14 MB, for as long as the process lives.
 */
function nodeEnv(env, entry) {
  if (entry.startsWith('apps/')) return { ...env, NODE_DISABLE_COMPILE_CACHE: '1' };
  return { NODE_COMPILE_CACHE: join(modules, '.cache', 'node'), ...env };
}

module.exports = { node, memoryArgs, nodeArgs, nodeEnv };
