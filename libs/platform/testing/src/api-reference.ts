import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';

/** An answer as a client gets it. */
export interface SeenAnswer {
  status: number;
  contentType: string | null;
  text: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Holds what a service answers against the OpenAPI document that it serves: every status, media type and field has to be
 * in there, so that the reference cannot fall behind the routes.
 */
export class ApiReference {
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  private readonly validators = new Map<unknown, ValidateFunction>();
  private readonly components: unknown;

  constructor(private readonly document: Json) {
    this.components = closed(document['components']);
  }

  static async of(serviceUrl: string): Promise<ApiReference> {
    const answer = await fetch(`${serviceUrl}/docs-json`);
    return new ApiReference(object(await answer.json()));
  }

  /** @throws saying what in the answer of a known route is not described; an unknown route's is not looked at. */
  check(method: string, path: string, answer: SeenAnswer): void {
    const operation = this.operation(method, path.split('?')[0] ?? '');
    if (operation === undefined) return;
    const fault = this.faultOf(object(operation['responses']), answer);
    if (fault !== undefined) throw new Error(`${method} ${path} is not as its reference says: ${fault}`);
  }

  /** What is wrong with the examples of requests and answers. */
  exampleFaults(): string[] {
    return this.operations().flatMap(({ name, operation }) => {
      const answers = Object.entries(object(operation['responses']));
      const parts: [string, unknown][] = [[`${name} request`, operation['requestBody']]];
      for (const [status, answer] of answers) parts.push([`${name} ${status}`, answer]);
      return parts.flatMap(([where, part]) =>
        Object.values(object(object(part)['content'])).flatMap((media) => this.exampleFaultsOf(where, object(media))),
      );
    });
  }

  /** The request bodies shown to readers of an operation; put together from the fields' examples if there are none. */
  requestExamples(method: string, path: string): unknown[] {
    const body = object(this.operation(method, path)?.['requestBody']);
    const media = object(object(body['content'])['application/json']);
    const examples = examplesOf(media);
    return examples.length > 0 ? examples : [this.sampleOf(object(media['schema']))];
  }

  private sampleOf(schema: Json): unknown {
    if (schema['example'] !== undefined) return schema['example'];
    const [, name] = /\/(\w+)$/.exec(String(schema['$ref'])) ?? [];
    if (name !== undefined) return this.sampleOf(object(object(object(this.components)['schemas'])[name]));
    const properties = Object.entries(object(schema['properties']));
    return Object.fromEntries(properties.map(([key, property]) => [key, this.sampleOf(object(property))]));
  }

  private operations() {
    return Object.entries(object(this.document['paths'])).flatMap(([path, methods]) =>
      Object.entries(object(methods)).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method,
        path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
        operation: object(operation),
      })),
    );
  }

  private operation(method: string, path: string): Json | undefined {
    return this.operations().find((each) => each.method === method.toLowerCase() && each.path.test(path))?.operation;
  }

  private faultOf(responses: Json, { status, contentType, text }: SeenAnswer): string | undefined {
    const described = responses[String(status)] ?? responses['default'];
    if (described === undefined) return `the status ${status}`;
    const { content } = object(described);
    if (content === undefined) return text === '' ? undefined : `${status} with a body`;
    const media = object(content)[contentType?.split(';')[0] ?? ''];
    if (media === undefined) return `${status} as ${contentType}`;
    return contentType?.includes('json') ? this.schemaFault(object(media)['schema'], JSON.parse(text)) : undefined;
  }

  private exampleFaultsOf(where: string, media: Json): string[] {
    return examplesOf(media).flatMap((example) => {
      const fault = this.schemaFault(media['schema'], example);
      return fault === undefined ? [] : [`${where}: ${fault}`];
    });
  }

  private schemaFault(schema: unknown, value: unknown): string | undefined {
    const validate =
      this.validators.get(schema) ?? this.ajv.compile({ ...object(closed(schema)), components: this.components });
    this.validators.set(schema, validate);
    return validate(value) ? undefined : this.ajv.errorsText(validate.errors, { dataVar: '' });
  }
}

function examplesOf(media: Json): unknown[] {
  const named = Object.values(object(media['examples'])).map((each) => object(each)['value']);
  return [media['example'], object(media['schema'])['example'], ...named].filter((each) => each !== undefined);
}

/** The same schema with every object closed: a field that nobody described is a fault. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen = typeof inner['properties'] === 'object' && inner['additionalProperties'] === undefined;
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}

function object(value: unknown): Json {
  return Object(value);
}
