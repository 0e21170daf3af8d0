import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { deliveredLineSchema } from './delivered-line.schema';
import { DELIVERED_FIELDS } from './delivered-fields';

const ajv = addFormats(new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false }));
const validate = ajv.compile(deliveredLineSchema);

const line: unknown = JSON.parse(readFileSync(join(__dirname, '..', 'examples', 'consent-users.line.json'), 'utf8'));

/** Most purposes have none, and twenty empty lists would be a fifth of a document. */
const optional = 'preferences';

/** Whether the schema has the dotted path as a field, required but for one, lists and references included. */
function has(path: string): boolean {
  let schema: unknown = deliveredLineSchema;
  for (const name of path.split('.')) {
    const holder = resolve(schema);
    if (name !== optional && !listOf(holder, 'required').includes(name)) return false;
    schema = member(member(holder, 'properties'), name);
  }
  return schema !== undefined;
}

function resolve(schema: unknown): unknown {
  const ref = member(schema, '$ref');
  if (typeof ref === 'string') return resolve(member(deliveredLineSchema.$defs, ref.replace('#/$defs/', '')));
  const items = member(schema, 'items');
  return items === undefined ? schema : resolve(items);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown, name: string): unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}

describe('the delivered line', () => {
  it.each(DELIVERED_FIELDS)('has %s', (path) => {
    expect(has(path)).toBe(true);
  });

  it('is as its example', () => {
    expect(validate(line)).toBe(true);
  });

  it.each([
    ['no user', (each: Line) => ({ events: each.events })],
    ['no event', (each: Line) => ({ ...each, events: [] })],
    ['a pending event', (each: Line) => ({ ...each, events: [{ ...each.events[0], status: 'pending_approval' }] })],
    ['a user with a status', (each: Line) => ({ ...each, user: { ...each.user, status: 'confirmed' } })],
    ['a user without a version', (each: Line) => ({ ...each, user: { ...each.user, version: undefined } })],
  ])('with %s is none', (_, change) => {
    expect(validate(JSON.parse(JSON.stringify(change(line as Line))))).toBe(false);
  });

  it('may have fields that a later version added', () => {
    expect(validate({ ...(line as Line), added: 1 })).toBe(true);
  });
});

interface Line {
  user: Record<string, unknown>;
  events: Record<string, unknown>[];
}
