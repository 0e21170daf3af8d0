import { OpenFiles } from './open-files';

const status = (work: () => unknown): unknown => {
  try {
    work();
    return 'taken';
  } catch (error) {
    return (
      error instanceof Object && 'getStatus' in error && typeof error.getStatus === 'function' && error.getStatus()
    );
  }
};

it('has so many places, for all and for each link, and again when one is given back', () => {
  const files = new OpenFiles({ all: 3, ofLink: 2 });
  const [first] = [files.take('a'), files.take('a')];
  expect(status(() => files.take('a'))).toBe(429);
  files.take('b');
  expect(status(() => files.take('c'))).toBe(503);
  first();
  first();
  expect(status(() => files.take('a'))).toBe('taken');
  expect(status(() => files.take('c'))).toBe(503);
});
