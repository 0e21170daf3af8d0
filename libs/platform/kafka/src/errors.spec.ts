import { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { isLostSequence, KafkaError, mapKafkaError, protocolType, within } from './errors';

function protocol(type: string, retriable = false): Error {
  return Object.assign(new KafkaJSProtocolError(new Error(`the broker says ${type}`)), { type, retriable });
}

/** kafkajs' types leave some of its errors out. */
const named = (name: string) => Object.assign(new Error(`${name} happened`), { name, retriable: true });
const exceeded = (cause: Error) =>
  Object.assign(new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 100 }), { cause });

describe('mapKafkaError', () => {
  it.each([
    [named('KafkaJSConnectionClosedError'), 'broker_unavailable'],
    [named('KafkaJSRequestTimeoutError'), 'broker_unavailable'],
    [exceeded(named('KafkaJSConnectionClosedError')), 'broker_unavailable'],
    [exceeded(protocol('NOT_ENOUGH_REPLICAS', true)), 'broker_unavailable'],
    [exceeded(protocol('UNKNOWN_TOPIC_OR_PARTITION', true)), 'unknown_topic'],
    [protocol('MESSAGE_TOO_LARGE'), 'message_too_large'],
    [protocol('TOPIC_AUTHORIZATION_FAILED'), 'not_authorized'],
    [protocol('INVALID_RECORD'), 'failed'],
    [new KafkaJSNonRetriableError('no'), 'failed'],
    [new TypeError('ours'), 'failed'],
    ['text', 'failed'],
  ])('case %# maps to its code', (error, code) => {
    const mapped = mapKafkaError(error);
    expect(mapped).toMatchObject({ code, retryable: code === 'broker_unavailable', cause: error });
    expect(mapKafkaError(mapped)).toBe(mapped);
  });

  it('tells the innermost cause', () => {
    expect(mapKafkaError(exceeded(protocol('NOT_ENOUGH_REPLICAS', true))).message).toContain('NOT_ENOUGH_REPLICAS');
  });

  it('finds the type of the protocol wherever it is', () => {
    expect(protocolType(exceeded(protocol('TOPIC_ALREADY_EXISTS')))).toBe('TOPIC_ALREADY_EXISTS');
    expect(protocolType(new Error('x'))).toBeUndefined();
    expect(isLostSequence(exceeded(protocol('OUT_OF_ORDER_SEQUENCE_NUMBER')))).toBe(true);
    expect(isLostSequence(protocol('MESSAGE_TOO_LARGE'))).toBe(false);
  });
});

describe('within', () => {
  it('gives what came in time, and what failed in time', async () => {
    await expect(within(1000, 'x', Promise.resolve(1))).resolves.toBe(1);
    await expect(within(1000, 'x', Promise.reject(new TypeError('own')))).rejects.toThrow(TypeError);
  });

  it('fails as unavailable when it takes longer, whatever comes afterwards', async () => {
    const late = Promise.withResolvers<void>();
    await expect(within(10, 'an answer', late.promise)).rejects.toEqual(
      new KafkaError('broker_unavailable', 'Kafka: an answer took longer than 10 ms'),
    );
    late.reject(new Error('too late to matter'));
  });
});
