import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@delivery/platform/testing';

/** A span as OTLP over HTTP has it in JSON. */
export interface CollectedSpan {
  service: string;
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, string | number | boolean>;
  failed: boolean;
}

interface Value {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
}
type Attributes = { key: string; value: Value }[];
interface Sent {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  links?: { traceId: string; spanId: string }[];
  attributes?: Attributes;
  status?: { code?: number };
}
interface Body {
  resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: Sent[] }[] }[];
}

/** Takes traces as a collector does, and keeps them to be asked about. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** Header values that requests came with. */
  readonly keys = new Set<string | undefined>();
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.keys.add(request.headers['x-key']?.toString());
      if (request.url === '/v1/traces') this.take(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The first span of this name that fits. */
  async span(name: string, fits: (span: CollectedSpan) => boolean = () => true): Promise<CollectedSpan> {
    const find = () => this.spans.find((span) => span.name === name && fits(span));
    await waitFor(() => find() !== undefined, { describe: `the span "${name}"`, timeoutMs: 120_000 });
    const found = find();
    if (found === undefined) throw new Error(`no span "${name}"`);
    return found;
  }

  private take({ resourceSpans }: Body): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name']);
      for (const sent of scopeSpans.flatMap(({ spans }) => spans)) {
        const { name, kind, traceId, spanId, parentSpanId, links = [] } = sent;
        const attributes = valuesOf(sent.attributes ?? []);
        const failed = sent.status?.code === 2;
        this.spans.push({ service, name, kind, traceId, spanId, parentSpanId, links, attributes, failed });
      }
    }
  }
}

function valuesOf(attributes: Attributes): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? doubleValue ?? boolValue ?? Number(intValue),
    ]),
  );
}
