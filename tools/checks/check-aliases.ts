import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readProjects, type Faults } from './workspace';

/** Every library has the alias its folder asks for in tsconfig.base.json, and every alias leads to a file. */
export function checkAliases(root: string): Faults {
  const config: { compilerOptions: { paths: Record<string, string[]> } } = JSON.parse(
    readFileSync(join(root, 'tsconfig.base.json'), 'utf8'),
  );
  const { paths } = config.compilerOptions;
  const dangling = Object.entries(paths).flatMap(([alias, files]) =>
    files
      .filter((file) => !existsSync(join(root, file)))
      .map((file) => `${alias} leads to ${file}, which does not exist`),
  );
  const missing = readProjects(root)
    .filter((project) => project.root.startsWith('libs/'))
    .map((project) => [`@delivery/${project.root.slice('libs/'.length)}`, `./${project.root}/src/index.ts`] as const)
    .filter(([alias, file]) => paths[alias]?.[0] !== file)
    .map(([alias, file]) => `"${alias}": ["${file}"] is missing`);
  return [...dangling, ...missing].map((fault) => `tsconfig.base.json: ${fault}`);
}
