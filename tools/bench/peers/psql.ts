import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from '../contest';
import { postgresCpuSeconds, runCommand } from '../measure';
import { type Rig, say } from '../rig';

/**
 * `psql -c "COPY (...) TO STDOUT" | <compressor> > file`: what a data engineer would write. The text format with
 * separators that no JSON holds, so that the lines come out as they are.
 */
export function psqlPeers(rig: Rig, sql: string, compressors: readonly string[], note?: string): Contender[] {
  return compressors.filter(isThere).map((compressor) => ({
    name: `psql | ${compressor}${note === undefined ? '' : ` (${note})`}`,
    run: () => psqlOnce(rig, sql, compressor),
  }));
}

function isThere(compressor: string): boolean {
  const [tool = ''] = compressor.split(' ');
  const missing = ['psql', tool].filter((name) => spawnSync(name, ['--version']).status !== 0);
  for (const name of missing) say(`without "psql | ${compressor}": there is no ${name} on this machine`);
  return missing.length === 0;
}

async function psqlOnce(rig: Rig, sql: string, compressor: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const copy = `COPY (${sql}) TO STDOUT WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')`;
    const file = join(folder, 'lines');
    const before = await postgresCpuSeconds(rig.database);
    const env = { ...process.env, ...rig.environment, COPY: copy, FILE: file };
    const used = await runCommand('sh', ['-c', `psql "$DATABASE_URL" -qc "$COPY" | ${compressor} > "$FILE"`], env);
    const postgres = (await postgresCpuSeconds(rig.database)) - before;
    return { ...used, postgresCpuSeconds: postgres, megabytes: Math.round((await stat(file)).size / 1e6) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
