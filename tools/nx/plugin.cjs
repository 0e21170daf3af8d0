/**
 * Gives every project its targets, so that a project.json carries only a name and tags.
 *
 *  lint, typecheck   every project
 *  test              projects with specs
 *  build, serve      the apps; `build` also bundles all commands of `tools`
 *  lint-types        `tools`: the rules that need types, over everything
 *
 * Caching, inputs and outputs are in nx.json. Tests that use the local stack always run: a broker or a database is
 * nothing Nx can hash.
 */
const { existsSync, globSync } = require('node:fs');
const { dirname, join } = require('node:path');

const jestEnv = {
  NODE_OPTIONS:
    '--experimental-vm-modules --disable-warning=ExperimentalWarning --disable-warning=TimeoutNegativeWarning',
};

function targetsOf(root, workspaceRoot) {
  const has = (pattern) => globSync(pattern, { cwd: join(workspaceRoot, root) }).length > 0;
  const command = (text, extra) => ({ executor: 'nx:run-commands', options: { command: text, ...extra } });
  const targets = {
    lint: command(`eslint --no-error-on-unmatched-pattern ${root}`),
    typecheck: command(`node tools/nx/typecheck.cjs ${root}`),
  };
  const real = has('**/*.int-spec.ts');
  if (real || has('**/*.spec.ts')) {
    // Stories start and kill whole services; beside other tests they would only measure who got the processor.
    const stories = ['apps/e2e', 'tools/faults'];
    const alone = stories.includes(root);
    const others = root === 'tools' ? ' --testPathIgnorePatterns tools/faults/' : '';
    const jest = `jest --config tools/jest/preset.cjs --rootDir ${root} --runInBand${others}`;
    // The tests of tools look at the whole workspace.
    const cache = !real && root !== 'tools';
    targets.test = { ...command(jest, { env: jestEnv }), cache, ...(alone && { parallelism: false }) };
  }
  if (root.startsWith('apps/') && existsSync(join(workspaceRoot, root, 'main.ts'))) {
    targets.build = command(`node tools/build/main.cjs ${root}/main.ts`);
    targets.serve = command(`node tools/build/serve.cjs ${root}`);
  }
  if (root === 'tools') {
    targets.build = command("node tools/build/main.cjs 'tools/*/main.ts'");
    targets['lint-types'] = {
      ...command('eslint --config tools/eslint/types.config.mjs "{apps,libs,tools}/**/*.ts"'),
      cache: true,
      inputs: ['toolchain', '{workspaceRoot}/{apps,libs,tools}/**/*.ts', '{workspaceRoot}/tools/eslint/**/*'],
    };
  }
  return targets;
}

module.exports = {
  name: 'workspace-targets',
  createNodes: [
    '{apps,libs,tools}/**/project.json',
    (files, _options, { workspaceRoot }) =>
      files.map((file) => {
        const root = dirname(file);
        return [file, { projects: { [root]: { targets: targetsOf(root, workspaceRoot) } } }];
      }),
  ],
};
