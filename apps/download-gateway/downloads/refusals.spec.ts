import type { AccessEnd } from '@delivery/analytics/store';
import type { AccessEntry } from './access-log';
import { Refusals } from './refusals';

const who = { organizationId: 'acme', keyId: 'k1' };
const entry: AccessEntry = {
  ...who,
  ...{ kind: 'links', analyticsId: 'mine', file: 'f', status: 401 },
  ...{ bytes: undefined, address: undefined, userAgent: undefined },
};

it('are written down once in a minute, and counted at its end', async () => {
  const notes: number[] = [];
  const ends: AccessEnd[] = [];
  const log = {
    note: async ({ organizationId, status }: AccessEntry) => ({ organizationId, id: `row ${notes.push(status)}` }),
    complete: (end: AccessEnd) => void ends.push(end),
  };
  const refusals = new Refusals(log);
  for (let n = 0; n < 100; n += 1) refusals.note(who, entry);
  refusals.note(who, { ...entry, status: 429 });
  await refusals.close();
  expect(notes).toEqual([401, 429]);
  expect(ends).toEqual([{ organizationId: 'acme', id: 'row 1', times: 100 }]);
});
