import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(__dirname, '..', '..');

function run(...args: string[]) {
  return spawnSync(process.execPath, ['../tools/run.cjs', ...args], { cwd: join(root, 'libs'), encoding: 'utf8' });
}

describe('tools/run.cjs', () => {
  it('runs an entry with decorators and aliases, from the root, under the Node of the workspace', () => {
    const { stdout, status } = run('tools/build/test/entry.ts', 'one', '--two');
    expect(JSON.parse(stdout)).toEqual({
      word: 'injected',
      alias: 'ConfigError',
      args: ['one', '--two'],
      node: expect.stringMatching(/^24\./),
      cwd: root,
      isMain: true,
    });
    expect(status).toBe(0);
  });

  it('ends as the entry ends, with the lines of the source', () => {
    const { stderr, status } = run('tools/build/test/entry.ts', '--fail');
    expect(stderr).toContain('tools/build/test/entry.ts:');
    expect(status).toBe(1);
  });

  it('does not run what does not build: an alias that is on no list', () => {
    mkdirSync(join(root, 'dist'), { recursive: true });
    const folder = mkdtempSync(join(root, 'dist', 'run-spec-'));
    try {
      writeFileSync(join(folder, 'entry.ts'), "import '@delivery/nowhere';\n");
      const { stderr, status } = run(join(relative(root, folder), 'entry.ts'));
      expect(stderr).toContain('"@delivery/nowhere" is not among the paths of tsconfig.base.json');
      expect(status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says that an entry does not exist', () => {
    const { stderr, status } = run('tools/nowhere/main.ts');
    expect(stderr).toBe(`there is no tools/nowhere/main.ts in ${root}\n`);
    expect(status).toBe(1);
  });
});
