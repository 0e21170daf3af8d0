import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import type { Faults } from './workspace';

const ignored = ['**/node_modules', 'dist', '.stack', '.nx', 'coverage', 'test-results'];

/** Every relative link of a document leads to a file or folder of the workspace. */
export function checkLinks(root: string): Faults {
  return globSync('**/*.md', { cwd: root, exclude: ignored })
    .sort()
    .flatMap((file) =>
      linksOf(readFileSync(join(root, file), 'utf8'))
        .filter((link) => !existsSync(join(root, normalize(join(dirname(file), link)))))
        .map((link) => `${file}: there is no ${link}`),
    );
}

function linksOf(text: string): string[] {
  // What looks like a link in code is none.
  const prose = text.replace(/```.*?```/gs, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s#]*)[^)]*\)/g)].map(([, target]) => target ?? '');
  return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}
