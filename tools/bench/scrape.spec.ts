import { parseMetrics, taken } from './scrape';

it('tells what a histogram took in between two moments', () => {
  const at = (first: number, second: number, seconds: number) =>
    parseMetrics(`# HELP t Times.
t_bucket{le="0.01",topic="a"} ${first}
t_bucket{le="0.1",topic="a"} ${second}
t_bucket{le="+Inf",topic="a"} ${second}
t_sum{topic="a"} ${seconds}
t_count{topic="a"} ${second}
t_bucket{le="0.01",topic="b"} 0
t_sum{topic="b"} 1000
t_count{topic="b"} 7
`);
  expect(taken('t', { topic: 'a' }, at(5, 10, 1), at(104, 110, 1.5))).toEqual({
    count: 100,
    meanMs: 5,
    p99AtMostMs: 10,
  });
  expect(taken('t', { topic: 'a' }, at(5, 10, 1), at(103, 110, 1.5))).toMatchObject({ p99AtMostMs: 100 });
});
