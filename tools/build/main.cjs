// Bundles entry points into dist/: node tools/build/main.cjs apps/scheduler/main.ts 'tools/*/main.ts'
const { globSync, statSync } = require('node:fs');
const { relative } = require('node:path');

const { bundleAll, root } = require('./bundle.cjs');

async function main(patterns) {
  const entries = globSync(patterns, { cwd: root }).sort();
  if (entries.length === 0) throw new Error(`nothing to build: no file matches ${patterns.join(' ')}`);
  for (const file of await bundleAll(entries)) {
    console.log(`${relative(root, file)}  ${Math.ceil(statSync(file).size / 1024)} kB`);
  }
}

main(process.argv.slice(2)).catch((error) => {
  // esbuild has printed its own findings already; its exception repeats them.
  if (!error.errors) console.error(error.message);
  process.exit(1);
});
