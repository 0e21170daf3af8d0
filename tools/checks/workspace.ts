import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A project as its project.json describes it; `root` is its folder relative to the workspace. */
export interface Project {
  root: string;
  name: string;
  tags: string[];
  targets: string[];
}

/** What a check answers: one sentence per fault, each naming the file and what to change. */
export type Faults = string[];

/** A check of the workspace in the folder `root`. It only reads. */
export type Check = (root: string) => Faults;

/** The workspace's projects, sorted by folder. */
export function readProjects(root: string): Project[] {
  return globSync('{apps,libs,tools}/**/project.json', { cwd: root, exclude: ['**/node_modules'] })
    .sort()
    .map((file) => {
      const json: Partial<Project> & { targets?: object } = JSON.parse(readFileSync(join(root, file), 'utf8'));
      return {
        root: dirname(file),
        name: json.name ?? '',
        tags: json.tags ?? [],
        targets: Object.keys(json.targets ?? {}),
      };
    });
}
