/**
 * Type-checks one project (`node tools/nx/typecheck.cjs libs/exports/domain`) with the options of the whole workspace.
 * `npm run typecheck` checks everything at once, which is cheaper than the sum of its projects.
 */
const { spawnSync } = require('node:child_process');
const { mkdirSync, writeFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const workspace = resolve(__dirname, '..', '..');
const project = process.argv[2];
const folder = join(workspace, 'dist', 'typecheck', project);
mkdirSync(folder, { recursive: true });

const config = join(folder, 'tsconfig.json');
writeFileSync(
  config,
  JSON.stringify({
    extends: join(workspace, 'tsconfig.base.json'),
    compilerOptions: { incremental: true, tsBuildInfoFile: join(folder, 'tsbuildinfo') },
    include: [join(workspace, project, '**/*.ts')],
  }),
);
const tsc = join(workspace, 'node_modules', 'typescript', 'bin', 'tsc');
process.exit(
  spawnSync(process.execPath, [tsc, '-p', config, '--pretty', 'false'], { stdio: 'inherit', cwd: workspace }).status ??
    1,
);
