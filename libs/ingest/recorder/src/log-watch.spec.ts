import type { IngestPosition } from '@delivery/ingest/store';
import { ProgressWatch } from './log-watch';

const at = (nextOffset: bigint, epoch = 1) =>
  ({ topic: 'consent.events.v1', partition: 3, epoch, nextOffset }) as IngestPosition;

describe('ProgressWatch', () => {
  const looks = (watch: ProgressWatch, times: number, position: IngestPosition, behind: bigint) =>
    Array.from({ length: times }, () => watch.look(position, behind)).at(-1);

  it('tells what stands still while messages wait, until it moves', () => {
    const watch = new ProgressWatch(6);
    expect(looks(watch, 6, at(7n), 2n)).toBeUndefined();
    expect(watch.look(at(7n), 5n)).toMatch(
      /Partition 3 of consent.events.v1 stands still at offset 7, with 5 messages/,
    );
    expect(watch.look(at(8n), 4n)).toBeUndefined();
  });

  it('is content at the end of the log, with slow progress, and with a new epoch', () => {
    const watch = new ProgressWatch(6);
    expect(looks(watch, 20, at(7n), 0n)).toBeUndefined();
    for (let offset = 7n; offset < 20n; offset += 1n) expect(looks(watch, 3, at(offset), 9n)).toBeUndefined();
    looks(watch, 6, at(20n), 9n);
    expect(watch.look(at(20n, 2), 9n)).toBeUndefined();
  });
});
