import { waitFor } from '@delivery/platform/testing';
import type { ObjectSource } from '../oracle';
import { BucketWatch } from './watch';

const silent: ObjectSource = {
  list: () => Promise.reject(new Error('no answer')),
  read: () => Promise.reject(new Error('no answer')),
};
const stray: ObjectSource = {
  list: async () => ['_SUCCESS', 'stray.json.gz'].map((name) => ({ key: `data/${name}`, bytes: 0 })),
  read: () => Promise.reject(new Error('not there')),
};

it('does not count a look that the store did not answer', async () => {
  const watch = new BucketWatch();
  watch.watch({ id: 'e', bucketName: 'b', bucket: silent });
  await waitFor(() => watch.failedLooks > 1, { describe: 'two looks' });
  expect(watch.looks).toBe(0);
  watch.watch({ id: 'e', bucketName: 'b', bucket: stray });
  await waitFor(() => watch.looks > 0, { describe: 'a look' });
  await watch.stop();
  expect([...watch.found]).toEqual(['data/stray.json.gz (0 bytes) stands beside _SUCCESS, and is not listed so']);
});
