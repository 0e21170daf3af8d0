import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { checkAliases } from './check-aliases';
import { checkApps } from './check-apps';
import { checkLinks } from './check-links';
import { checkMonitoring } from './check-monitoring';
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

describe('checkMonitoring', () => {
  const rule = (alert: string, expr: string) => ({
    alert,
    expr,
    annotations: { runbook_url: `docs/operations.md#${alert.toLowerCase()}` },
  });
  const rules = (...all: object[]) => write('k8s/monitoring/alerts.yaml', { groups: [{ name: 'g', rules: all }] });

  beforeEach(() => {
    write(
      'docs/reference/metrics.md',
      '| `a_total` | counter | `kind` | Text. | all |\n| `b_seconds` | histogram | | Text. | all |\n',
    );
    write('docs/operations.md', '## Alerts\n\n### One\n\nText.\n\n## Else\n\n### Other\n');
  });

  it('accepts rules and dashboards that ask for what is shown, and a runbook for each alert', () => {
    rules(rule('One', 'rate(a_total{kind="s3",job="x"}[5m]) > 0 and b_seconds_bucket{le="1"} and process_x'));
    write('k8s/monitoring/board.json', { panels: [{ targets: [{ expr: 'sum by (kind) (a_total)' }] }] });
    expect(checkMonitoring(root)).toEqual([]);
  });

  it('names metrics and labels that nothing shows, and alerts without a runbook, and the reverse', () => {
    rules(rule('Two', 'c_total > 0'), { alert: 'Three', expr: 'a_total{tenant="x"} > b_seconds' });
    write('k8s/monitoring/board.json', { panels: [{ targets: [{ expr: 'd_total' }] }] });
    expect(checkMonitoring(root)).toEqual([
      expect.stringContaining('Two asks for c_total'),
      expect.stringContaining('Three asks for the label tenant, which a_total does not have'),
      expect.stringContaining('Three asks for b_seconds, which no service shows'),
      expect.stringContaining('board.json: d_total asks for d_total'),
      expect.stringContaining('says nothing of the alert Two'),
      expect.stringContaining('says nothing of the alert Three'),
      expect.stringContaining('there is no alert One'),
      expect.stringContaining('Three needs a runbook_url'),
    ]);
  });
});
