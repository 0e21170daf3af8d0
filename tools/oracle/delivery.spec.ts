import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { isInside, type ObjectSource, readDelivery } from './delivery';

function bucket(objects: Record<string, Buffer | string>): ObjectSource {
  return {
    list: async (prefix) =>
      Object.entries(objects)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, { length }]) => ({ key, bytes: length })),
    read: async (key) => Buffer.from(objects[key] ?? ''),
  };
}

const folder = 'data/export-id=x1/date=2026-01-01/users/';
const line = (id: string) => `{"user":{"id":"${id}"},"events":[{"id":"e-${id}"}]}\n`;
const data: Record<string, { bytes: Buffer; rows: number }> = {
  [`${folder}r1-000000.json.gz`]: { bytes: gzipSync(line('u1') + line('u2')), rows: 2 },
  [`${folder}r1-000001.json.gz`]: { bytes: gzipSync(line('u3')), rows: 1 },
};
const [first = '', second = ''] = Object.keys(data);
const manifest = (keys: string[], changes: { rows?: number; totals?: object } = {}) => {
  const files = keys.map((key) => {
    const { bytes, rows } = data[key] ?? { bytes: Buffer.alloc(0), rows: 0 };
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { key, bytes: bytes.length, rows: changes.rows ?? rows, sha256 };
  });
  const sum = (of: (file: { bytes: number; rows: number }) => number) => files.reduce((all, file) => all + of(file), 0);
  const rows = sum((file) => file.rows);
  const totals = { files: files.length, bytes: sum((file) => file.bytes), rows, users: rows, events: rows };
  const window = { from: {}, to: {} };
  const run = { run: 'r1', organization_id: 'acme', export_id: 'x1', window };
  return JSON.stringify({ ...run, files, totals: { ...totals, ...changes.totals } });
};

const whole = {
  [first]: data[first]?.bytes ?? '',
  [second]: data[second]?.bytes ?? '',
  [`${folder}_manifest-r1.json`]: manifest([first, second]),
  [`${folder}_SUCCESS`]: '',
  'data/export-id=x2/date=2026-01-01/users/r9-000000.json.gz': 'of another export',
};

it('reads all lines of a complete folder', async () => {
  const delivery = await readDelivery(bucket(whole), 'x1');
  expect(delivery).toMatchObject({
    faults: [],
    unfinished: [],
    runs: [{ run: 'r1', organizationId: 'acme', exportId: 'x1' }],
  });
  expect(delivery.runs[0]?.lines.map(({ user }) => user['id'])).toEqual(['u1', 'u2', 'u3']);
});

it('reads nothing before there is _SUCCESS', async () => {
  const { [`${folder}_SUCCESS`]: _, ...unfinished } = whole;
  await expect(readDelivery(bucket(unfinished), 'x1')).resolves.toEqual({ runs: [], faults: [], unfinished: [folder] });
});

it.each([
  ['a missing file', { [`${folder}_manifest-r1.json`]: manifest([first, second, 'gone']) }, 'not there'],
  ['a file nobody lists', { [`${folder}_manifest-r1.json`]: manifest([first]) }, 'no manifest lists it'],
  ['a file listed twice', { [`${folder}_manifest-r1.json`]: manifest([first, second, second]) }, 'listed already'],
  ['another file than was listed', { [second]: gzipSync(line('u4')) }, 'does not say'],
  [
    'other rows than were listed',
    { [`${folder}_manifest-r1.json`]: manifest([first, second], { rows: 2 }) },
    'not say',
  ],
  [
    'a wrong sum',
    { [`${folder}_manifest-r1.json`]: manifest([first, second], { totals: { users: 4 } }) },
    'not add up',
  ],
  ['half a file', { [`${folder}r1-000001.json.gz`]: gzipSync(line('u3')).subarray(0, 20) }, 'cannot be read'],
  ['half a line', { [`${folder}r1-000001.json.gz`]: gzipSync('{"user":') }, 'ends within a line'],
  ['something else in a line', { [`${folder}r1-000001.json.gz`]: gzipSync('{"user":{}}\n') }, 'not a user with events'],
])('tells of %s', async (_what, change, fault) => {
  const { faults } = await readDelivery(bucket({ ...whole, ...change }), 'x1');
  expect(faults).toContainEqual(expect.stringContaining(fault));
});

it('compares places with windows partition by partition', () => {
  const at = (epoch: number, offset: string) => ({ 'consent.events.v1': { '1': { epoch, offset } } });
  const place = { epoch: 1, partition: 1, offset: 5n, arrivedAt: 0 };
  const inside = (from: object, to: object) =>
    isInside(place, { from: { ...from }, to: { ...to } }, 'consent.events.v1');
  expect(inside({}, at(1, '6'))).toBe(true);
  expect(inside({}, at(1, '5'))).toBe(false);
  expect(inside(at(1, '5'), at(2, '0'))).toBe(true);
  expect(inside(at(1, '6'), at(2, '0'))).toBe(false);
  expect(inside({}, {})).toBe(false);
  expect(isInside({ ...place, partition: 0 }, { from: {}, to: at(9, '9') }, 'consent.events.v1')).toBe(false);
});
