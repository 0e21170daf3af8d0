import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openTracer } from './open-telemetry';
import { parseTraceparent } from './traceparent';
import { currentTraceparent, inSpan, maxLinks, tracing, useTracer } from './tracing';
import type { SamplerName } from './tracing.config';

const foreign = (n: number, flags = '01') => `00-${n.toString(16).padStart(32, '0')}-00f067aa0ba902b7-${flags}`;

interface Exported {
  name: string;
  links: { context: { traceId: string } }[];
  attributes: Record<string, unknown>;
  parentSpanContext?: { spanId: string };
  spanContext(): { traceId: string; spanId: string };
}

async function collect(work: () => Promise<void>, sampler: SamplerName = 'always_on', ratio = 1): Promise<Exported[]> {
  const exported: Exported[] = [];
  const exporter = {
    export: (spans: readonly object[], done: (result: { code: number }) => void) => {
      exported.push(...(spans as Exported[]));
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
  const { tracer, stop } = await openTracer('test', { sampler, samplerArg: ratio }, { exporter });
  useTracer(tracer);
  try {
    await work();
  } finally {
    useTracer(undefined);
    await stop();
  }
  return exported;
}

describe('spans', () => {
  it('are nothing without tracing, and options that cost something are not asked for', async () => {
    const options = jest.fn(() => ({}));
    await expect(inSpan('a', options, async (span) => `${String(span.traceparent)}`)).resolves.toBe('undefined');
    expect(options).not.toHaveBeenCalled();
    expect([tracing.on, currentTraceparent()]).toEqual([false, undefined]);
  });

  it('know the one that they are in, also after a wait', async () => {
    let told: string | undefined;
    const spans = await collect(() =>
      inSpan('outer', {}, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        await inSpan('inner', { attributes: { 'a.b': 1, none: undefined } }, async (span) => {
          told = span.traceparent;
          expect(currentTraceparent()).toBe(told);
        });
      }),
    );
    const [inner, outer] = spans;
    expect([inner?.name, outer?.name]).toEqual(['inner', 'outer']);
    expect(inner?.attributes).toEqual({ 'a.b': 1 });
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(parseTraceparent(told)?.traceId).toBe(inner?.spanContext().traceId);
  });

  it('continue the trace that they are told of, and not what is no trace', async () => {
    const spans = await collect(async () => {
      await inSpan('told', { parent: foreign(7) }, async () => undefined);
      await inSpan('untold', { parent: 'nonsense' }, async () => undefined);
    });
    expect(spans[0]?.spanContext().traceId).toBe(parseTraceparent(foreign(7))?.traceId);
    expect(spans[1]?.parentSpanContext).toBeUndefined();
  });

  it('link to a bounded number of others, each once', async () => {
    const links = [
      foreign(1),
      foreign(1),
      'nonsense',
      undefined,
      ...Array.from({ length: 500 }, (_, n) => foreign(n + 2)),
    ];
    const [span] = await collect(() =>
      inSpan(
        'batch',
        () => ({ links }),
        async () => undefined,
      ),
    );
    const ids = span?.links.map(({ context }) => context.traceId) ?? [];
    expect([ids.length, new Set(ids).size]).toEqual([maxLinks, maxLinks]);
  });

  it('tell what failed, and not its words', async () => {
    const failing = async () => {
      throw Object.assign(new Error('jane@example.org'), { code: 'not_found' });
    };
    const [span] = await collect(async () => {
      await expect(inSpan('a', {}, failing)).rejects.toThrow('jane');
    });
    expect(span?.attributes).toEqual({ 'error.type': 'not_found' });
    expect(JSON.stringify(span?.attributes)).not.toContain('jane');
  });

  it('are kept or dropped as configured, whatever a stranger decided about his trace', async () => {
    const both = async () => {
      await inSpan('kept', { parent: foreign(1, '01') }, async () => expect(currentTraceparent()).toBeDefined());
      await inSpan('dropped', { parent: foreign(2, '00') }, async () => expect(currentTraceparent()).toBeDefined());
    };
    expect(await collect(both)).toHaveLength(2);
    const neither = async () => {
      await inSpan('a', { parent: foreign(1, '01') }, async () => expect(currentTraceparent()).toBeUndefined());
    };
    expect(await collect(neither, 'always_off')).toHaveLength(0);
    expect(await collect(neither, 'parentbased_traceidratio', 0)).toHaveLength(0);
  });

  it('that the collector does not take are told of once, not with every one of them', async () => {
    let asked = 0;
    const refusing = createServer((_, response) => {
      asked += 1;
      response.writeHead(400).end();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { port } = refusing.address() as AddressInfo;
    const told: string[] = [];
    const config = { endpoint: `http://127.0.0.1:${port}`, sampler: 'always_on' as const, samplerArg: 1 };
    const { tracer, stop } = await openTracer('test', config, { warn: (message) => told.push(message) });
    useTracer(tracer);
    for (const name of ['a', 'b']) {
      const before = asked;
      await inSpan(name, {}, async () => undefined);
      while (asked === before) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    useTracer(undefined);
    await stop();
    refusing.closeAllConnections();
    refusing.close();
    expect(told).toEqual([expect.stringContaining('Bad Request')]);
  });
});
