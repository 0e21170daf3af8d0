import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { checkAliases } from './check-aliases';
import { checkApps } from './check-apps';
import { checkLinks } from './check-links';
import { checkProjects } from './check-projects';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'checks-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(file: string, content: string | object): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

function project(name: string, tags: string[], targets: object = {}): object {
  return { name, tags, targets };
}

describe('checkProjects', () => {
  it('accepts a project with one tag on each axis and the name of its folder', () => {
    write('libs/exports/engine/project.json', project('exports-engine', ['type:feature', 'scope:exports']));
    write('apps/scheduler/project.json', project('scheduler', ['type:app', 'scope:app']));
    write('tools/project.json', project('tools', ['type:tool', 'scope:tool']));
    expect(checkProjects(root)).toEqual([]);
  });

  it.each([
    ['no tags', project('exports-engine', []), 'needs exactly one "type:" tag, has none'],
    [
      'two types',
      project('exports-engine', ['type:store', 'type:domain', 'scope:exports']),
      'needs exactly one "type:" tag, has type:store, type:domain',
    ],
    ['another name', project('engine', ['type:feature', 'scope:exports']), 'its folder asks for "exports-engine"'],
    ['another scope', project('exports-engine', ['type:feature', 'scope:app']), 'asks for the tag "scope:exports"'],
    [
      'its own targets',
      project('exports-engine', ['type:feature', 'scope:exports'], { test: {} }),
      'has targets of its own (test)',
    ],
  ])('refuses a project with %s', (_what, json, fault) => {
    write('libs/exports/engine/project.json', json);
    expect(checkProjects(root)).toContainEqual(expect.stringContaining(fault));
  });
});

describe('checkAliases', () => {
  const paths = (entries: Record<string, string[]>) => ({ compilerOptions: { paths: entries } });

  beforeEach(() => {
    write('libs/exports/engine/project.json', project('exports-engine', ['type:feature', 'scope:exports']));
    write('libs/exports/engine/src/index.ts', '');
  });

  it('accepts a library under the alias of its folder', () => {
    write('tsconfig.base.json', paths({ '@delivery/exports/engine': ['./libs/exports/engine/src/index.ts'] }));
    expect(checkAliases(root)).toEqual([]);
  });

  it('names the library without an alias and the alias without a file', () => {
    write('tsconfig.base.json', paths({ '@delivery/exports/store': ['./libs/exports/store/src/index.ts'] }));
    expect(checkAliases(root)).toEqual([
      expect.stringContaining('@delivery/exports/store leads to ./libs/exports/store/src/index.ts'),
      expect.stringContaining('"@delivery/exports/engine": ["./libs/exports/engine/src/index.ts"] is missing'),
    ]);
  });
});

describe('checkApps', () => {
  const files = ['project.json', 'app.config.ts', 'app.module.ts', 'test/boot.int-spec.ts'];

  it('accepts an app of the usual shape and does not ask it of the stories', () => {
    for (const file of files) write(`apps/scheduler/${file}`, '');
    write('apps/scheduler/main.ts', "void runService({ name: 'scheduler' });\n");
    write('apps/e2e/project.json', '');
    expect(checkApps(root)).toEqual([]);
  });

  it('names what is missing and a main.ts that does something itself', () => {
    write('apps/scheduler/main.ts', 'start();\n'.repeat(30));
    const faults = checkApps(root);
    for (const file of files) expect(faults).toContainEqual(expect.stringContaining(`scheduler: ${file} is missing`));
    expect(faults).toContainEqual(expect.stringContaining('has 30 lines'));
    expect(faults).toContainEqual(expect.stringContaining('does not call runService'));
  });
});

describe('checkLinks', () => {
  it('finds links that lead nowhere, but not in code or elsewhere', () => {
    write('README.md', '[a](docs/a.md#top) [gone](docs/gone.md) [web](https://example.org/x) `[b](c)`');
    write('docs/a.md', '```\n[x](y)\n```\n[up](../README.md) [here](#there) [out](raw)');
    expect(checkLinks(root)).toEqual(['README.md: there is no docs/gone.md', 'docs/a.md: there is no raw']);
  });
});
