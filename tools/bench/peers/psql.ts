import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type Download, ensureDownload } from '../../stack/download';
import type { Peers } from '../contest';
import { postgresCpuSeconds, runCommand } from '../measure';
import { type Rig, say } from '../rig';

const run = promisify(execFile);

/** Seldom installed, but in every Debian and Ubuntu; unpacking a package needs no rights. */
const pigz: Download = {
  name: 'bench-pigz',
  file: 'usr/bin/pigz',
  what: 'pigz: downloading its package',
  async fill(dir) {
    await run('apt-get', ['download', 'pigz'], { cwd: dir });
    await run('sh', ['-c', 'dpkg --extract pigz_*.deb .'], { cwd: dir });
  },
};

/**
 * `psql -c "COPY (...) TO STDOUT" | <compressor> > file`: what a data engineer would write. The text format with
 * separators that no JSON holds, so that the lines come out as they are.
 */
export async function psqlPeers(rig: Rig, sql: string, compressors: readonly string[], note?: string): Promise<Peers> {
  const tools = compressors.map(toolOf);
  if (tools.includes('pigz') && !isThere('pigz')) await fetchPigz();
  const able = compressors.filter((compressor) => hindrances(compressor).length === 0);
  const contenders = able.map((compressor) => ({
    name: `psql | ${compressor}${note === undefined ? '' : ` (${note})`}`,
    run: () => psqlOnce(rig, sql, compressor),
  }));
  return { contenders, without: compressors.flatMap(hindrances) };
}

async function fetchPigz(): Promise<void> {
  try {
    const dir = await ensureDownload(pigz, say);
    process.env['PATH'] = [process.env['PATH'], join(dir, 'usr', 'bin')].join(delimiter);
  } catch (error) {
    say(`pigz cannot be fetched: ${String(error)}`);
  }
}

/** Why it cannot run on this machine. */
export function hindrances(compressor: string): string[] {
  const missing = ['psql', toolOf(compressor)].filter((tool) => !isThere(tool));
  return missing.map((tool) => `psql | ${compressor}: there is no ${tool} on this machine`);
}

function toolOf(compressor: string): string {
  return compressor.split(' ')[0] ?? '';
}

function isThere(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
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
