import { readProjects, type Faults, type Project } from './workspace';

/**
 * Every project has exactly one `type:` and one `scope:` tag (without both, the boundary rule of eslint.config.mjs does
 * not hold for it), is named after its folder, and leaves its targets to tools/nx.
 */
export function checkProjects(root: string): Faults {
  return readProjects(root).flatMap((project) =>
    [...tagFaults(project), ...nameFaults(project), ...targetFaults(project)].map(
      (fault) => `${project.root}/project.json: ${fault}`,
    ),
  );
}

function tagFaults({ tags }: Project): Faults {
  return ['type', 'scope'].flatMap((axis) => {
    const found = tags.filter((tag) => tag.startsWith(`${axis}:`));
    return found.length === 1 ? [] : [`needs exactly one "${axis}:" tag, has ${found.join(', ') || 'none'}`];
  });
}

function nameFaults({ root, name, tags }: Project): Faults {
  const [kind, ...folders] = root.split('/');
  const expected = kind === 'tools' && folders.length === 0 ? 'tools' : folders.join('-');
  const faults = name === expected ? [] : [`the name is "${name}", its folder asks for "${expected}"`];
  const scope = kind === 'libs' ? folders[0] : kind === 'apps' ? 'app' : 'tool';
  return tags.includes(`scope:${scope}`) ? faults : [...faults, `its folder asks for the tag "scope:${scope}"`];
}

function targetFaults({ targets }: Project): Faults {
  return targets.length === 0
    ? []
    : [`has targets of its own (${targets.join(', ')}): add them to tools/nx/plugin.cjs`];
}
