import { readFileSync } from 'node:fs';
import { pageFiles } from './page';

it.each(pageFiles())('$path shows the newest raw results: npm run bench -- page', ({ path, text }) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
