import { evaluateConditions } from './preconditions';

const etag = '"new"';
const time = 'Mon, 02 Feb 2026 10:00:00 GMT';

it.each([
  [{ 'if-match': '"old"' }, 412],
  [{ 'if-match': 'W/"new"' }, 412],
  [{ 'if-none-match': '"new"' }, 304],
  [{ 'if-none-match': 'W/"new"' }, 304],
  [{ 'if-none-match': '"old", "new"' }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-match': '"old"', 'if-none-match': '"new"' }, 412],
  [{}, 'part'],
  [{ 'if-match': '"old", "new"', 'if-unmodified-since': time }, 'part'],
  [{ 'if-match': '*' }, 'part'],
  [{ 'if-none-match': '"old"', 'if-modified-since': time }, 'part'],
  [{ 'if-modified-since': time }, 'part'],
  [{ 'if-range': '"new"' }, 'part'],
  [{ 'if-range': '"old"' }, 'whole'],
  [{ 'if-range': 'W/"new"' }, 'whole'],
  [{ 'if-range': time }, 'whole'],
])('the conditions %j say %s', (headers, said) => {
  expect(evaluateConditions(headers, etag)).toBe(said);
});
