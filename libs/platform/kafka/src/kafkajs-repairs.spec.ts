import type { RawPartition, RawRecord } from 'kafkajs/src/broker';
import { isHidden, markHidden } from './kafkajs-repairs';

const abort = Buffer.from([0, 0, 0, 0]);
const commit = Buffer.from([0, 0, 0, 1]);

let offset = 0;
const record = (producerId: string, inTransaction = true, key: Buffer = Buffer.from('k')): RawRecord => ({
  offset: String(offset++),
  key,
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
const marker = (producerId: string, key: Buffer): RawRecord => ({
  ...record(producerId, true, key),
  isControlRecord: true,
});

/** @returns offsets that stay visible. */
function visible(messages: RawRecord[], abortedTransactions: RawPartition['abortedTransactions'] = []): string[] {
  const partition = { partition: 0, messages, abortedTransactions };
  markHidden(partition);
  expect(partition.abortedTransactions).toEqual([]);
  expect(messages.every(({ isControlRecord }) => !isControlRecord)).toBe(true);
  return messages.filter((message) => !isHidden(message)).map((message) => message.offset);
}

describe('markHidden', () => {
  beforeEach(() => {
    offset = 0;
  });

  it('hides nothing but markers when nothing was aborted', () => {
    expect(visible([record('a', false), record('a'), marker('a', commit), record('b')])).toEqual(['0', '1', '3']);
  });

  it('hides an aborted transaction up to its marker, and not the next one of the producer', () => {
    const messages = [record('a'), record('a'), marker('a', abort), record('a'), marker('a', commit)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['3']);
  });

  it('takes the list of aborted transactions in the order in which they ended', () => {
    // b began later and ended first
    const messages = [
      record('a'),
      record('c', false),
      record('b'),
      marker('b', abort),
      record('a'),
      marker('a', abort),
    ];
    const aborted = [
      { producerId: 'b', firstOffset: '2' },
      { producerId: 'a', firstOffset: '0' },
    ];
    expect(visible(messages, aborted)).toEqual(['1']);
  });

  it('begins in the middle of several aborted transactions', () => {
    offset = 50;
    const messages = [record('b'), record('a'), marker('a', abort), record('b'), marker('b', abort), record('a')];
    const aborted = [
      { producerId: 'a', firstOffset: '10' },
      { producerId: 'b', firstOffset: '20' },
    ];
    expect(visible(messages, aborted)).toEqual(['55']);
  });

  it('does not take a message whose key looks like a marker for one', () => {
    const messages = [record('a', true, abort), record('a'), marker('a', abort), record('a', false, abort)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['3']);
  });

  it('leaves a producer alone that writes outside of transactions', () => {
    const messages = [record('a', false), record('a'), marker('a', abort)];
    expect(visible(messages, [{ producerId: 'a', firstOffset: '0' }])).toEqual(['0']);
  });
});
