import { join } from 'node:path';

import CountsReporter from './counts-reporter.cjs';

const file = join(__dirname, 'x.spec.ts');

function suite(statuses: string[], failureMessage?: string) {
  return {
    testFilePath: file,
    failureMessage: failureMessage ?? null,
    numFailingTests: statuses.filter((status) => status === 'failed').length,
    testResults: statuses.map((status) => ({ fullName: `a ${status} test`, status })),
  };
}

describe('countsOf', () => {
  it('counts what passed', () => {
    expect(CountsReporter.countsOf({ testResults: [suite(['passed', 'passed'])] })).toEqual({ passed: 2, failed: [] });
  });

  it('counts skipped and forgotten tests as failed, each by name', () => {
    const { passed, failed } = CountsReporter.countsOf({
      testResults: [suite(['passed', 'failed', 'pending', 'todo'], 'x')],
    });
    expect(passed).toBe(1);
    expect(failed).toEqual([
      'tools/jest/x.spec.ts: a failed test',
      'tools/jest/x.spec.ts: a pending test (skipped)',
      'tools/jest/x.spec.ts: a todo test (skipped)',
    ]);
  });

  it('counts a suite that cannot be loaded, or that fails after its tests, as one failure', () => {
    const { passed, failed } = CountsReporter.countsOf({
      testResults: [suite([], 'broken'), suite(['passed'], 'late')],
    });
    expect(passed).toBe(1);
    expect(failed).toEqual(Array(2).fill('tools/jest/x.spec.ts (the suite itself failed)'));
  });
});
