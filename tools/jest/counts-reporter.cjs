const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..', '..');

/**
 * Writes how many tests of a project passed and failed to `test-results/<project>.json`, which Nx keeps with the task.
 * A test that was skipped, and a suite that could not be loaded, count as failed: neither has shown anything.
 */
module.exports = class CountsReporter {
  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    // A hand-picked part of a project is not its result.
    this.partial = Boolean(globalConfig.testNamePattern) || globalConfig.nonFlagArgs.length > 0;
  }

  onRunComplete(_contexts, results) {
    const manifest = join(this.rootDir, 'project.json');
    if (this.partial || results.wasInterrupted || !existsSync(manifest)) return;
    const { name } = JSON.parse(readFileSync(manifest, 'utf8'));
    const suites = results.testResults;
    // Not only what cannot be compiled: a hook that fails after the last test fails the suite and none of its tests.
    const broken = suites.filter((suite) => suite.failureMessage && suite.numFailingTests === 0);
    const tests = suites.flatMap(({ testFilePath, testResults }) =>
      testResults.map(({ fullName, status }) => ({ test: `${relative(root, testFilePath)}: ${fullName}`, status })),
    );
    const named = (wanted) => tests.filter(({ status }) => wanted.includes(status)).map(({ test }) => test);
    const skipped = named(['pending', 'skipped', 'todo', 'disabled']);
    const failed = [
      ...named(['failed']),
      ...skipped.map((test) => `${test} (skipped)`),
      ...broken.map(({ testFilePath }) => `${relative(root, testFilePath)} (the suite itself failed)`),
    ];
    const folder = join(root, 'test-results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${name}.json`),
      `${JSON.stringify({ project: name, passed: named(['passed']).length, failed }, null, 2)}\n`,
    );
  }
};
