import { logLevel } from 'kafkajs';
import { toLogCreator } from './logger';

describe('what is told of kafkajs', () => {
  function told(...messages: string[]): string[] {
    const lines: string[] = [];
    const note = (fields: object) => void lines.push('detail' in fields ? String(fields.detail) : '');
    const write = toLogCreator({ warn: note, error: note })(logLevel.WARN);
    for (const message of messages) {
      const log = { timestamp: '', logger: 'kafkajs', message };
      write({ namespace: 'Connection', level: logLevel.ERROR, label: 'ERROR', log });
    }
    return lines;
  }

  it('is each trouble, once in a while', () => {
    const refused = 'Connection error: connect ECONNREFUSED 127.0.0.1:9092';
    expect(told(refused, refused, 'Connection timeout')).toEqual([refused, 'Connection timeout']);
  });

  it('is nothing of connections that we end ourselves', () => {
    expect(told('Connection error: this client was closed')).toEqual([]);
  });
});
