import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeTotals, sumResults } from './totals';

describe('the total', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'totals-'));
    const write = (project: string, passed: number, failed: string[]) =>
      writeFileSync(join(folder, `${project}.json`), JSON.stringify({ project, passed, failed }));
    write('exports-domain', 12, []);
    write('exports-engine', 3, ['plan.spec.ts: waits']);
    write('removed-project', 99, []);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('sums the projects that ran and no others', () => {
    const totals = sumResults(folder, ['exports-engine', 'exports-domain']);
    expect(totals).toMatchObject({ passed: 15, failed: 1 });
    expect(describeTotals(totals)).toEqual([
      'exports-domain  12 passed, 0 failed',
      'exports-engine  3 passed, 1 failed',
      'FAILED  plan.spec.ts: waits',
      '15 passed, 1 failed',
    ]);
  });

  it('counts a project that left no result as failed', () => {
    const totals = sumResults(folder, ['exports-domain', 'exports-store']);
    expect(describeTotals(totals).slice(-2)).toEqual([
      'FAILED  exports-store (ended without a result)',
      '12 passed, 1 failed',
    ]);
  });
});
