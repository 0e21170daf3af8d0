import { spawnSync } from 'node:child_process';

import type { Faults } from './workspace';

/** Every file is as Prettier writes it. */
export function checkFormat(root: string): Faults {
  const prettier = ['node_modules/.bin/prettier', '--list-different', '.'];
  const { stdout, stderr, status } = spawnSync(process.execPath, prettier, { cwd: root, encoding: 'utf8' });
  const different = stdout.split('\n').filter((line) => line !== '');
  if (status !== 0 && different.length === 0) return [`prettier: ${stderr.trim()}`];
  return different.map((file) => `${file}: npm run format`);
}
