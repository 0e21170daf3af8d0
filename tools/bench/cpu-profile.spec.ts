import { timeBySubject, type CpuProfile } from './cpu-profile';

function node(id: number, functionName: string, children: number[] = [], url = ''): CpuProfile['nodes'][number] {
  return { id, callFrame: { functionName, url }, children };
}

it('gives the time of a function to the nearest caller that has a subject', () => {
  const profile = {
    nodes: [
      node(1, '(root)', [2, 3, 4, 7]),
      node(2, '(idle)'),
      node(3, '(garbage collector)'),
      node(4, 'handle', [5, 6]),
      node(5, 'parseMessage', [8]),
      node(6, 'eventDocument', [9]),
      node(7, 'decode', [], 'file:///app/node_modules/kafkajs/src/protocol/decoder.js'),
      node(8, 'decodeUTF8'),
      node(9, 'isoTime'),
    ],
    //        start-up, work ...,               nothing more to do
    samples: [4, 8, 9, 3, 7, 2, 4, 5, 4],
    timeDeltas: [9000, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000],
  };
  expect(Object.fromEntries(timeBySubject(profile))).toEqual({
    'parse and validate': 8,
    'write the documents': 2,
    'garbage collection': 3,
    'Kafka client': 4,
    'everything else': 6,
  });
});
