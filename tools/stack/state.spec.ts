import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readState, writeState, type StackState } from './state';

describe('the state of a stack', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'state-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const nothing: StackState = { parts: {}, ports: {}, contents: {} };

  it('is read as it was written, and leaves no other file', () => {
    const state: StackState = {
      parts: { kafka: { pid: 1, started: '2', port: 3 } },
      ports: { kafka: 3 },
      contents: { kafka: 'kept' },
    };
    writeState(dir, state);
    expect(readState(dir)).toEqual(state);
    expect(readdirSync(dir)).toEqual(['state.json']);
  });

  it.each(['', '{', '{}'])('is empty when the file holds %j', (text) => {
    writeFileSync(join(dir, 'state.json'), text);
    expect(readState(dir)).toEqual(nothing);
  });

  it('is empty when there is no file', () => {
    expect(readState(dir)).toEqual(nothing);
  });
});
