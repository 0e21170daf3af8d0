const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join, relative, resolve } = require('node:path');

const root = resolve(__dirname, '..', '..');

/**
 * What a run says: a test that was skipped, and a suite that failed as a whole, count as failed, because neither has
 * shown anything.
 */
function countsOf({ testResults: suites }) {
  // Not only what cannot be compiled: a hook that fails after the last test fails the suite and none of its tests.
  const broken = suites.filter((suite) => suite.failureMessage && suite.numFailingTests === 0);
  const tests = suites.flatMap(({ testFilePath, testResults }) =>
    testResults.map(({ fullName, status }) => ({ test: `${relative(root, testFilePath)}: ${fullName}`, status })),
  );
  const named = (wanted) => tests.filter(({ status }) => wanted.includes(status)).map(({ test }) => test);
  return {
    passed: named(['passed']).length,
    failed: [
      ...named(['failed']),
      ...named(['pending', 'skipped', 'todo', 'disabled']).map((test) => `${test} (skipped)`),
      ...broken.map(({ testFilePath }) => `${relative(root, testFilePath)} (the suite itself failed)`),
    ],
  };
}

/** Writes a project's counts to `test-results/<project>.json`, which Nx keeps with the task and tools/test sums. */
module.exports = class CountsReporter {
  static countsOf = countsOf;

  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    // A hand-picked part of a project is not its result.
    this.partial = Boolean(globalConfig.testNamePattern) || globalConfig.nonFlagArgs.length > 0;
  }

  onRunComplete(_contexts, results) {
    const manifest = join(this.rootDir, 'project.json');
    if (this.partial || results.wasInterrupted || !existsSync(manifest)) return;
    const { name } = JSON.parse(readFileSync(manifest, 'utf8'));
    const counts = countsOf(results);
    writeCounts(name, counts);
    endHangingRun((what) => writeCounts(name, { ...counts, failed: [...counts.failed, `${name}: ${what}`] }));
  }
};

function writeCounts(project, counts) {
  const folder = join(root, 'test-results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${project}.json`), `${JSON.stringify({ project, ...counts }, null, 2)}\n`);
}

/**
 * A test that leaves a connection or a timer open would keep its process, and with it the whole run, for ever: that is
 * a failure too. The timer itself does not keep the process.
 */
function endHangingRun(fail) {
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ');
    const what = `the run did not end, something was left open (${open})`;
    fail(what);
    process.stderr.write(`FAILED: ${what}\n`);
    process.exit(1);
  }, 10_000).unref();
}
