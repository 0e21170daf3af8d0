import { evaluateConditions } from './preconditions';

const etag = '"new"';
const range = 'bytes=5-9';
const time = 'Mon, 02 Feb 2026 10:00:00 GMT';

describe('evaluateConditions', () => {
  it.each([
    [{ 'if-match': '"old"' }, 412],
    [{ 'if-match': 'W/"new"' }, 412],
    [{ 'if-none-match': '"new"' }, 304],
    [{ 'if-none-match': 'W/"new"' }, 304],
    [{ 'if-none-match': '"old", "new"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-match': '"old"', 'if-none-match': '"new"' }, 412],
  ])('answers %j with %i', (headers, status) => {
    expect(evaluateConditions(headers, etag)).toBe(status);
  });

  it.each([
    [{ range }, { range }],
    [{ 'if-match': '"old", "new"', 'if-unmodified-since': time, range }, { range }],
    [{ 'if-match': '*' }, {}],
    [{ 'if-none-match': '"old"', 'if-modified-since': time }, {}],
    [{ 'if-modified-since': time }, { 'if-modified-since': time }],
    [{ 'if-range': '"new"', range }, { range }],
    [{ 'if-range': '"old"', range }, {}],
    [{ 'if-range': 'W/"new"', range }, {}],
    [
      { 'if-range': time, range },
      { 'if-range': time, range },
    ],
  ])('leaves of %j only %j', (headers, left) => {
    expect(evaluateConditions(headers, etag)).toEqual(left);
  });
});
