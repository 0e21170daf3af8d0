import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Download, ensureDownload } from '../../stack/download';
import type { Contender } from '../contest';
import { postgresCpuSeconds, runCommand } from '../measure';
import { type Rig, say } from '../rig';

const run = promisify(execFile);

const download: Download = {
  name: 'bench-dlt-1.31.0',
  file: 'venv/bin/dlt',
  what: 'dlt: installing 1.31.0',
  async fill(dir) {
    const packages = ['dlt[sql_database,filesystem,parquet]==1.31.0', 'sqlalchemy', 'psycopg2-binary', 'pyarrow'];
    await run('python3', ['-m', 'venv', 'venv'], { cwd: dir });
    await run('venv/bin/python', ['-m', 'pip', 'install', '--quiet', ...packages], { cwd: dir });
  },
};

/** One column of one table into gzip NDJSON files of a folder, in the fastest way that dlt documents. */
const script = `
import os, sys, dlt
from dlt.sources.sql_database import sql_table
url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://")
table = sql_table(url, table="bench_event", backend="pyarrow", chunk_size=50000, reflection_level="minimal")
pipeline = dlt.pipeline("bench", pipelines_dir=sys.argv[1] + "/state", dataset_name="events",
                        destination=dlt.destinations.filesystem("file://" + sys.argv[1] + "/out"))
pipeline.run(table, loader_file_format="jsonl")
`;

/** dlt (database to files). Its gzip has level 9, which it offers no setting for. */
export async function dltPeer(rig: Rig): Promise<Contender> {
  await rig.database.query('CREATE VIEW bench_event AS SELECT event_document FROM consent_event_revision');
  const python = join(await ensureDownload(download, say), 'venv', 'bin', 'python');
  return { name: 'dlt 1.31', note: 'gzip -9, the document as a string in a column', run: () => dltOnce(rig, python) };
}

async function dltOnce(rig: Rig, python: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const file = join(folder, 'load.py');
    writeFileSync(file, script);
    const before = await postgresCpuSeconds(rig.database);
    const env = { ...process.env, ...rig.environment, RUNTIME__DLTHUB_TELEMETRY: 'false' };
    const used = await runCommand(python, [file, folder], env);
    const postgres = (await postgresCpuSeconds(rig.database)) - before;
    return { ...used, postgresCpuSeconds: postgres, megabytes: await megabytesIn(join(folder, 'out')) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function megabytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.includes('.jsonl'));
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6);
}
