import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/** A file of the reference: its path below the workspace, and its text before Prettier. */
export interface GeneratedFile {
  path: string;
  text: string;
}

/** Makes some files of the reference from the code. Always the same text for the same code. */
export type Generator = () => GeneratedFile[] | Promise<GeneratedFile[]>;

/** Everything below this folder is generated: what no generator makes any more is removed. */
export const referenceFolder = 'docs/reference';

/** All files as they should be, sorted by path, formatted as `npm run format` would leave them. */
export async function generateAll(generators: readonly Generator[]): Promise<GeneratedFile[]> {
  const formatted: GeneratedFile[] = [];
  for (const generator of generators) formatted.push(...(await Promise.all((await generator()).map(formatFile))));
  return formatted.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function formatFile({ path, text }: GeneratedFile): Promise<GeneratedFile> {
  return { path, text: await format(text, { ...(await resolveConfig(path)), filepath: path }) };
}

/** Paths that writing would change or remove, each with the reason. */
export function differences(root: string, files: readonly GeneratedFile[]): string[] {
  const changed = files.flatMap(({ path, text }) => {
    const at = join(root, path);
    if (!existsSync(at)) return [`${path}: is missing`];
    return readFileSync(at, 'utf8') === text ? [] : [`${path}: differs`];
  });
  return [...changed, ...leftOver(root, files).map((path) => `${path}: nothing generates it`)];
}

/** Brings the folder to the given files. @returns what changed, as {@link differences} tells it. */
export function writeAll(root: string, files: readonly GeneratedFile[]): string[] {
  const changes = differences(root, files);
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const path of leftOver(root, files)) rmSync(join(root, path));
  return changes;
}

function leftOver(root: string, files: readonly GeneratedFile[]): string[] {
  const wanted = new Set(files.map(({ path }) => path));
  return globSync(`${referenceFolder}/**/*.*`, { cwd: root })
    .sort()
    .filter((path) => !wanted.has(path));
}
