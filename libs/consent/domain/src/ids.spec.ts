import { derivedUserId, eventIdFromPosition, newEventId } from './ids';

const place = { clusterId: 'c', topic: 't', epoch: 1, partition: 2, offset: 3n };

describe('ids', () => {
  it('of an event without one depends on all of its place in the log, and on nothing else', () => {
    const id = eventIdFromPosition(place);
    expect(id).toBe('4cae28c5-bb44-5141-af67-bc04e6b5e865');
    const others = [{ clusterId: 'd' }, { topic: 'u' }, { epoch: 2 }, { partition: 3 }, { offset: 4n }];
    const all = others.map((other) => eventIdFromPosition({ ...place, ...other }));
    expect(new Set([id, ...all]).size).toBe(6);
  });

  it('of a user without one is the same for all his events, another one in every organization', () => {
    expect(derivedUserId('acme', 'jane', 'e1')).toBe('48e0db9f-a79a-5a75-b109-2eaaa84c68b0');
    expect(derivedUserId('acme', 'jane', 'e2')).toBe(derivedUserId('acme', 'jane', 'e1'));
    expect(derivedUserId('other', 'jane', 'e1')).not.toBe(derivedUserId('acme', 'jane', 'e1'));
  });

  it('of a user whom nobody knows is that of the event, and never that of a known user', () => {
    expect(derivedUserId('acme', undefined, 'e1')).toBe(derivedUserId('acme', undefined, 'e1'));
    expect(derivedUserId('acme', undefined, 'e1')).not.toBe(derivedUserId('acme', undefined, 'e2'));
    expect(derivedUserId('acme', undefined, 'e1')).not.toBe(derivedUserId('acme', 'e1', 'e1'));
  });

  it('of new events grow with time', () => {
    const ids = Array.from({ length: 100 }, newEventId);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
});
