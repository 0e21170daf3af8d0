import { createHash } from 'node:crypto';
import type { ObjectWriter } from '@delivery/destinations/driver';
import fc from 'fast-check';
import { ReportCsv } from './report-csv';
import { writeShards } from './write-shards';

const HEADER = 'date,settingsId,eventType,platform,browser,country,count\r\n';

/** Keeps what is written; fails where a test says. */
class Objects {
  readonly log: string[] = [];
  readonly finished = new Map<number, string>();

  constructor(private readonly fault: (action: string) => void = () => undefined) {}

  readonly create = async (shard: number): Promise<ObjectWriter> => {
    const chunks: Buffer[] = [];
    const act = (action: string): void => {
      this.fault(`${action} ${shard}`);
      this.log.push(`${action} ${shard}`);
    };
    act('create');
    return {
      write: async (chunk) => {
        act('write');
        chunks.push(Buffer.from(chunk));
      },
      finish: async () => {
        act('finish');
        this.finished.set(shard, Buffer.concat(chunks).toString());
        return { bytes: Buffer.concat(chunks).length };
      },
      abort: async () => void this.log.push(`abort ${shard}`),
    };
  };
}

async function* batchesOf(...batches: string[][][]): AsyncGenerator<string[][]> {
  yield* batches;
}

const csv = new ReportCsv('interaction', false);
const write = (objects: Objects, rowsPerShard: number, ...batches: string[][][]) =>
  writeShards(batchesOf(...batches), { rowsPerShard, csv, create: objects.create });

describe('writeShards', () => {
  it('makes one file with the header of nothing', async () => {
    const objects = new Objects();
    const shards = await write(objects, 10);
    expect([...objects.finished]).toEqual([[0, HEADER]]);
    const sha256 = createHash('sha256').update(HEADER).digest('hex');
    expect(shards).toEqual([{ bytes: HEADER.length, rows: 0, sha256 }]);
  });

  it('makes no file without rows after full ones', async () => {
    const objects = new Objects();
    const shards = await write(objects, 2, [['1'], ['2'], ['3']], [['4']]);
    expect([...objects.finished.values()]).toEqual([`${HEADER}1\r\n2\r\n`, `${HEADER}3\r\n4\r\n`]);
    expect(shards.map(({ rows }) => rows)).toEqual([2, 2]);
  });

  it('cuts the same wherever the batches end, into numbered files of which only the last is not full', async () => {
    const rows = fc.array(fc.nat(1e9).map(String), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 25 }),
        async (all, size, batch) => {
          const objects = new Objects();
          const batches = all.flatMap((_, n) => (n % batch === 0 ? [all.slice(n, n + batch).map((row) => [row])] : []));
          const shards = await write(objects, size, ...batches);
          const files = [...objects.finished];
          expect(files.map(([number]) => number)).toEqual(files.map((_, n) => n));
          expect(shards.slice(0, -1).every((shard) => shard.rows === size)).toBe(true);
          const lines = files.flatMap(([, text]) => {
            expect(text.startsWith(HEADER)).toBe(true);
            return text.slice(HEADER.length).split('\r\n').slice(0, -1);
          });
          expect(lines).toEqual(all);
          for (const [n, text] of files) {
            const sha256 = createHash('sha256').update(text).digest('hex');
            expect(shards[n]).toMatchObject({ bytes: Buffer.byteLength(text), sha256 });
          }
        },
      ),
    );
  });

  it.each(['create 1', 'write 1', 'finish 1'])('leaves nothing half written when it fails at: %s', async (at) => {
    const objects = new Objects((action) => {
      if (action === at) throw new Error('the disk is full');
    });
    await expect(write(objects, 1, [['1'], ['2'], ['3']])).rejects.toThrow('the disk is full');
    expect([...objects.finished.keys()]).toEqual([0]);
    if (at !== 'create 1') expect(objects.log.at(-1)).toBe('abort 1');
    expect(objects.log.join()).not.toContain('2');
  });

  it('drops the open file when reading fails', async () => {
    const objects = new Objects();
    const failing = async function* () {
      yield [['1']];
      throw new Error('the database is gone');
    };
    const writing = writeShards(failing(), { rowsPerShard: 5, csv, create: objects.create });
    await expect(writing).rejects.toThrow('the database is gone');
    expect(objects.log).toEqual(['create 0', 'write 0', 'write 0', 'abort 0']);
  });
});
