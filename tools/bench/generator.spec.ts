import { gzipSync } from 'node:zlib';
import { consentEventsTopic, parseEventMessage } from '@delivery/consent/schema';
import { consentEvents, take } from './generator';

const options = { organization: 'acme', users: 400, startAt: Date.parse('2026-11-01T00:00:00Z') };
const lines = take(consentEvents(options), 2_000).map((event) => JSON.stringify(event));

describe(`generated events for ${consentEventsTopic}`, () => {
  it('are as large and as hard to compress as the reference event', () => {
    const text = lines.join('\n');
    expect(text.length / lines.length).toBeGreaterThan(1_200);
    expect(text.length / lines.length).toBeLessThan(1_450);
    const ratio = text.length / gzipSync(text, { level: 1 }).length;
    expect(ratio).toBeGreaterThan(3.6);
    expect(ratio).toBeLessThan(4.4);
  });

  it('are valid', () => {
    for (const line of lines) expect(parseEventMessage(Buffer.from(line))).toMatchObject({ ok: true });
  });

  it('are the same for the same options, and others for another seed', () => {
    const again = (seed: number) => take(consentEvents({ ...options, seed }), 3).map((event) => JSON.stringify(event));
    expect(again(1)).toEqual(lines.slice(0, 3));
    expect(again(2)).not.toEqual(lines.slice(0, 3));
  });
});
