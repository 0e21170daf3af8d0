import { publishNudges } from './nudges';

it('sends each kind of exporter its runs, in the trace in which they were planned', async () => {
  const sent: unknown[] = [];
  const publish = async (topic: string, messages: readonly { value: Buffer; headers?: object }[]) => {
    sent.push([topic, messages.map(({ value, headers }) => [JSON.parse(String(value)).run_id, headers])]);
    return [];
  };
  const run = (id: string, destinationKind: 's3' | 'gcs' | 'file', traceparent?: string) => ({
    ...{ organizationId: 'acme', id, destinationKind, traceparent },
  });
  const runs = [run('a', 's3', '00-1'), run('b', 'gcs'), run('c', 'file'), run('d', 's3')];
  const told = await publishNudges({ publish }, runs);
  expect(told.map(({ id }) => id)).toEqual(['a', 'd', 'b']);
  expect(sent).toEqual([
    [
      'exports.runs.requested.s3.v1',
      [
        ['a', { traceparent: '00-1' }],
        ['d', undefined],
      ],
    ],
    ['exports.runs.requested.gcs.v1', [['b', undefined]]],
  ]);
});
