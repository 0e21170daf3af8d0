/**
 * Bundles one TypeScript entry point: our own code becomes one CommonJS file, npm packages stay outside it.
 *
 * esbuild alone emits no decorator metadata, without which Nest's injection and TypeORM's columns do not work, so
 * every file passes through swc first, with the same .swcrc that the tests use.
 */
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { once } = require('node:events');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { readFile } = require('node:fs/promises');
const { dirname, join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..', '..');

/** The path aliases of tsconfig.base.json, the one list that tsc, Jest, Nx and the bundles share. */
function aliases() {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'));
  return new Map(Object.entries(compilerOptions.paths).map(([alias, [file]]) => [alias, join(root, file)]));
}

function swcPlugin() {
  const swc = require('@swc/core');
  const options = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false, sourceMaps: 'inline' };
  const paths = aliases();
  return {
    name: 'swc',
    setup(build) {
      // Decided here and not by esbuild: an alias that is missing from the list must fail the build, not become an
      // external package that is missing at run time.
      build.onResolve({ filter: /^@delivery\// }, ({ path }) => {
        const file = paths.get(path);
        return file ? { path: file } : { errors: [{ text: `"${path}" is not among the paths of tsconfig.base.json` }] };
      });
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        try {
          const { code } = await swc.transform(await readFile(path, 'utf8'), { ...options, filename: path });
          return { contents: code, loader: 'js' };
        } catch (error) {
          return { errors: [{ text: error.message.split('\n\nCaused by')[0].trim() }] };
        }
      });
    },
  };
}

function settings(entry) {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: outfileOf(entry),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    keepNames: true,
    logLevel: 'warning',
    plugins: [swcPlugin()],
  };
}

/** Where the bundle of an entry goes: `apps/x/main.ts` -> `dist/apps/x/main.cjs`. */
function outfileOf(entry) {
  return join(root, 'dist', relative(root, resolve(root, entry)).replace(/\.ts$/, '.cjs'));
}

/** Bundles an entry (a path below the workspace) and answers the bundle's path. */
async function bundle(entry) {
  const [file] = await bundleAll([entry]);
  return file;
}

/**
 * Bundles entries one after the other. May run in several processes at once: the files are written beside their place
 * and renamed, so that nobody loads half a bundle.
 */
async function bundleAll(entries) {
  const service = esbuildService();
  const esbuild = require('esbuild');
  try {
    for (const entry of entries) {
      const { outputFiles } = await esbuild.build({ ...settings(entry), write: false });
      outputFiles.forEach(replaceFile);
    }
  } finally {
    await service.stop(esbuild);
  }
  return entries.map(outfileOf);
}

function replaceFile({ path, contents }) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}

/**
 * esbuild works in a child process and `stop()` does not wait for its end; tools/run.cjs then replaces this process,
 * and nobody is left to collect the dead child.
 */
function esbuildService() {
  let child;
  const onSpawn = ({ process: started }) => (child ??= started);
  subscribe('child_process', onSpawn);
  return {
    async stop(esbuild) {
      unsubscribe('child_process', onSpawn);
      child?.ref();
      const ended = child && once(child, 'exit');
      await esbuild.stop();
      await ended;
    },
  };
}

module.exports = { bundle, bundleAll, settings, outfileOf, root };
