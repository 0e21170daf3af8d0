import type { IngestPosition } from '@delivery/ingest/store';
import { checkLog } from './check-log';

const position: IngestPosition = {
  consumer: 'c',
  topic: 'consent.events.v1',
  topicId: 1,
  partition: 3,
  epoch: 1,
  clusterId: 'one',
  firstOffset: 0n,
  nextOffset: 100n,
  fingerprint: Buffer.alloc(32),
  fingerprintOffset: 97n,
  arrivedAt: undefined,
  recorded: 98n,
  duplicates: 0n,
  rejected: 0n,
  suppressed: 0n,
  control: 2n,
  status: 'running',
  stoppedReason: undefined,
  held: false,
};

describe('checkLog', () => {
  it('begins at the last recorded message, to compare it', () => {
    expect(checkLog(position, { clusterId: 'one', low: 0n, high: 120n })).toEqual({
      ok: true,
      seekTo: 97n,
      expectFingerprint: true,
    });
  });

  it('begins at the position when that message has left the log', () => {
    expect(checkLog(position, { clusterId: 'one', low: 98n, high: 120n })).toEqual({
      ok: true,
      seekTo: 100n,
      expectFingerprint: false,
    });
  });

  it.each([
    ['another cluster', { clusterId: 'two', low: 0n, high: 120n }, /this is cluster two/],
    [
      'a log that ends before the position',
      { clusterId: 'one', low: 0n, high: 99n },
      /the log ends at 99; the topic was recreated/,
    ],
    ['a gap, with its extent', { clusterId: 'one', low: 130n, high: 140n }, /offsets 100 to 129 \(30 in all\)/],
  ])('stops at %s', (_, log, reason) => {
    const check = checkLog(position, log);
    expect(check).toMatchObject({ ok: false });
    if (check.ok) return;
    expect(check.reason).toMatch(reason);
    expect(check.reason).toContain('npm run admin -- ingest new-epoch consent.events.v1 3');
  });
});
