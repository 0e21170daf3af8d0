import { formatTraceparent, parseTraceparent } from './traceparent';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read and written', () => {
    const text = `00-${trace}-${span}-01`;
    expect(parseTraceparent(text)).toEqual({ traceId: trace, spanId: span, sampled: true });
    expect(formatTraceparent({ traceId: trace, spanId: span, sampled: true })).toBe(text);
    expect(parseTraceparent(`00-${trace}-${span}-02`)).toMatchObject({ sampled: false });
  });

  it('of a later version may have more at its end', () => {
    expect(parseTraceparent(`01-${trace}-${span}-01-more`)).toMatchObject({ traceId: trace });
  });

  it.each([
    ['nothing', undefined],
    ['empty', ''],
    ['upper case', `00-${trace.toUpperCase()}-${span}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${trace}-${span}-01`],
    ['more than version 00 has', `00-${trace}-${span}-01-more`],
    ['a line break', `00-${trace}-${span}-01\n`],
    ['far too much', `01-${trace}-${span}-01-${'x'.repeat(1000)}`],
  ])('is refused: %s', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
