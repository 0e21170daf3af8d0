import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Faults } from './workspace';

const files = ['project.json', 'main.ts', 'app.config.ts', 'app.module.ts', 'test/boot.int-spec.ts'];
const mainLines = 20;

/** Who knows one app knows them all: the same files, and a main.ts that only calls `runService`. */
export function checkApps(root: string): Faults {
  return globSync('apps/*', { cwd: root })
    .sort()
    .filter((app) => app !== 'apps/e2e')
    .flatMap((app) => [...missingFiles(root, app), ...mainFaults(root, app)]);
}

function missingFiles(root: string, app: string): Faults {
  return files
    .filter((file) => !existsSync(join(root, app, file)))
    .map((file) => `${app}: ${file} is missing; every app has ${files.join(', ')}`);
}

function mainFaults(root: string, app: string): Faults {
  const path = join(root, app, 'main.ts');
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '').length;
  return [
    ...(lines > mainLines ? [`has ${lines} lines, at most ${mainLines}: move what it does into the app's module`] : []),
    ...(/\brunService\(/.test(text) ? [] : ['does not call runService']),
  ].map((fault) => `${app}/main.ts: ${fault}`);
}
