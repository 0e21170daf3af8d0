import { expectedCounts } from './accounts';
import { eventsTopic, Ledger, numberHeader } from './ledger';

const at = (partition: number, offset: number, number: number) => ({
  partition,
  offset: BigInt(offset),
  arrivedAt: 0,
  value: null,
  headers: { [numberHeader]: String(number) },
});

it('counts the first of each id as recorded, further ones as duplicates, poison as rejected, gaps as control', () => {
  const ledger = new Ledger();
  ledger.event({ organization_id: 'acme', id: 'one' });
  ledger.event({ organization_id: 'acme', id: 'one' });
  ledger.event({ organization_id: 'other', id: 'one' });
  ledger.poison('not_json');
  ledger.event({ organization_id: 'acme', id: 'not reached yet' });
  ledger.event({ organization_id: 'acme', id: 'never logged' });
  ledger.locate([at(0, 0, 0), at(1, 0, 1), at(0, 2, 2), at(0, 3, 3), at(0, 4, 4)]);
  const positions = { [eventsTopic]: { 0: { epoch: 1, offset: '4' }, 1: { epoch: 1, offset: '1' } } };
  expect(expectedCounts(ledger, positions, 5)).toEqual({
    recorded: 2,
    duplicates: 1,
    rejected: 1,
    suppressed: 0,
    control: 1,
  });
});

it('forgets nothing that was acknowledged', () => {
  const ledger = new Ledger();
  const [kept, lost, repeated, again] = ['kept', 'lost', 'again', 'again'].map((id) =>
    ledger.event({ organization_id: 'acme', id }, 'rest'),
  );
  for (const each of [kept, lost, repeated, again]) if (each) each.acknowledged = true;
  ledger.event({ organization_id: 'acme', id: 'refused' }, 'rest');
  const message = (id: string, offset: number) => ({
    ...at(0, offset, 0),
    headers: {},
    value: Buffer.from(JSON.stringify({ organization_id: 'acme', id })),
  });
  ledger.locate([message('kept', 0), message('kept', 1), message('again', 2)]);
  expect(ledger.forgotten(ledger.acknowledged)).toEqual([lost]);
  expect(kept?.places.map(({ offset }) => offset)).toEqual([0n, 1n]);
  expect(ledger.strangers).toBe(0);
});
