import { eventsShown } from './page-sections';
import { hindrances } from './peers/psql';

const cost = { cpuSecondsPerMillion: 1, postgresCpuSecondsPerMillion: 1, peakRssMb: 100, megabytes: 1, runs: [] };

it('says which aims are missed, who is ahead and who could not run', () => {
  const shown = eventsShown({
    contenders: [
      { name: 'consent-delivery, gzip', eventsPerSecond: 130_000, ...cost },
      { name: 'psql | gzip -1', eventsPerSecond: 90_000, ...cost },
      { name: 'psql | pigz -1 -p2', eventsPerSecond: 131_000, ...cost },
    ],
    without: ['psql | zstd -1: there is no zstd on this machine'],
  });
  expect(shown.aims).toEqual([
    { what: 'gzip', limit: 'at least 128,000 events/s', measured: '130,000 events/s', met: true },
    { what: 'gzip, beside `psql | gzip -1`', limit: 'at least 1.5 times', measured: '1.44 times', met: false },
    { what: 'gzip, beside `psql | pigz -1 -p2`', limit: 'at least 1 times', measured: '0.99 times', met: false },
    { what: 'peak memory (P6)', limit: 'at most 256 MB', measured: '100 MB', met: true },
  ]);
  expect(shown.remarks).toEqual([
    '**Ahead of this platform:** `psql | pigz -1 -p2`.',
    'Not measured: psql | zstd -1: there is no zstd on this machine.',
  ]);
});

it('names the tool that a peer lacks', () => {
  expect(hindrances('no-such-tool -1')).toContain('psql | no-such-tool -1: there is no no-such-tool on this machine');
});
