import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tools/jest/counts-reporter.cjs writes per project. `failed` holds one line per failure. */
export interface ProjectCounts {
  project: string;
  passed: number;
  failed: string[];
}

export interface Totals {
  passed: number;
  failed: number;
  projects: ProjectCounts[];
}

/**
 * Sums the results of the named projects. A project without a result file counts as one failure: its run ended before
 * it could say anything.
 */
export function sumResults(folder: string, projects: readonly string[]): Totals {
  const counts = [...projects].sort().map((project) => readCounts(folder, project));
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed.length, 0),
    projects: counts,
  };
}

function readCounts(folder: string, project: string): ProjectCounts {
  const file = join(folder, `${project}.json`);
  if (!existsSync(file)) return { project, passed: 0, failed: [`${project} (ended without a result)`] };
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** A table of the projects, every failure by name, and the total as the last line. */
export function describeTotals({ passed, failed, projects }: Totals): string[] {
  const width = Math.max(0, ...projects.map(({ project }) => project.length));
  return [
    ...projects.map(
      (counts) => `${counts.project.padEnd(width)}  ${counts.passed} passed, ${counts.failed.length} failed`,
    ),
    ...projects.flatMap((counts) => counts.failed.map((failure) => `FAILED  ${failure}`)),
    `${passed} passed, ${failed} failed`,
  ];
}
