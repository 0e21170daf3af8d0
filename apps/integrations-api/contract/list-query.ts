import { badRequest, type FieldError } from '@delivery/platform/auth';

export type Query = Readonly<Record<string, unknown>>;

/** What a list of the contract can be asked for. `Column` is the store's name of a column. */
export interface ListRules<Column extends string> {
  /** Wire name -> column. */
  readonly sortable: Readonly<Record<string, Column>>;
  /** Wire names of what may be filtered by equality, also as `name[$in]`. */
  readonly filters: readonly string[];
  /** Other parameters of the route. */
  readonly others?: readonly string[];
  readonly defaultSort: readonly { readonly by: Column; readonly descending: boolean }[];
}

export interface ListQuery<Column extends string> {
  limit: number;
  skip: number;
  sort: readonly { by: Column; descending: boolean }[];
  /** The values asked for, by wire name; undefined where there is no such filter. */
  filters: Readonly<Record<string, readonly string[] | undefined>>;
}

/** contracts.md §1.2: pages of at most 100. */
export const MAX_LIMIT = 100;
/** Far beyond any list that is read page by page; keeps the number inside what Postgres takes. */
const MAX_SKIP = 1_000_000;

/**
 * Reads `$limit`, `$skip`, `$sort` and filters (contracts.md §1.2, D-11). A larger `$limit` than 100 is taken for 100,
 * as the envelope then says; anything else that is not understood is refused: a filter with a typo must not answer with
 * everything.
 *
 * `$sort` is `-created_at`, `created_at` or `$sort[created_at]=-1`.
 * @throws 400 naming every parameter at fault
 */
export function parseListQuery<Column extends string>(query: Query, rules: ListRules<Column>): ListQuery<Column> {
  const faults: FieldError[] = [];
  const filters: Record<string, readonly string[]> = {};
  const sort: { by: Column; descending: boolean }[] = [];
  for (const [name, value] of Object.entries(query)) {
    const filter = rules.filters.find((each) => name === each || name === `${each}[$in]`);
    const sorted = name === '$sort' ? sortOf(value, rules.sortable) : sortPair(name, value, rules.sortable);
    if (filter !== undefined) filters[filter] = textsOf(name, value, faults);
    else if (sorted === 'unknown') faults.push({ field: name, message: sortRule(rules.sortable) });
    else if (sorted !== 'no_sort') sort.push(sorted);
    else if (!isKnown(name, rules)) faults.push({ field: name, message: 'is not a parameter of this list' });
  }
  const limit = wholeNumber(query, '$limit', MAX_LIMIT, Number.MAX_SAFE_INTEGER, faults);
  const skip = wholeNumber(query, '$skip', 0, MAX_SKIP, faults);
  if (faults.length > 0) throw badRequest('The parameters of the list are not valid: see errors.', faults);
  return { limit: Math.min(limit, MAX_LIMIT), skip, sort: sort.length > 0 ? sort : rules.defaultSort, filters };
}

function isKnown<Column extends string>(name: string, rules: ListRules<Column>): boolean {
  return ['$limit', '$skip', 'organization_id', ...(rules.others ?? [])].includes(name);
}

function sortOf<Column extends string>(value: unknown, sortable: Readonly<Record<string, Column>>) {
  if (typeof value !== 'string') return 'unknown';
  const descending = value.startsWith('-');
  return sortBy(descending ? value.slice(1) : value, descending, sortable);
}

function sortPair<Column extends string>(name: string, value: unknown, sortable: Readonly<Record<string, Column>>) {
  const [, wireName] = /^\$sort\[(\w+)\]$/.exec(name) ?? [];
  if (wireName === undefined) return 'no_sort';
  return value === '1' || value === '-1' ? sortBy(wireName, value === '-1', sortable) : 'unknown';
}

function sortBy<Column extends string>(
  wireName: string,
  descending: boolean,
  sortable: Readonly<Record<string, Column>>,
) {
  const by = Object.hasOwn(sortable, wireName) ? sortable[wireName] : undefined;
  return by === undefined ? 'unknown' : { by, descending };
}

function sortRule(sortable: Readonly<Record<string, string>>): string {
  if (Object.keys(sortable).length === 0) return 'is not offered by this list, whose order is fixed';
  return `must be one of ${Object.keys(sortable).join(', ')}, with "-" before it for descending`;
}

function textsOf(name: string, value: unknown, faults: FieldError[]): readonly string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const texts = values.filter((each) => typeof each === 'string');
  if (texts.length === values.length && texts.length <= MAX_LIMIT && (name.endsWith('[$in]') || texts.length === 1)) {
    return texts;
  }
  faults.push({ field: name, message: `must be given once; several values as ${name.replace('[$in]', '')}[$in]=` });
  return [];
}

function wholeNumber(query: Query, name: string, unset: number, max: number, faults: FieldError[]): number {
  const value = query[name];
  if (value === undefined) return unset;
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number <= max) return number;
  faults.push({ field: name, message: `must be a whole number from 0${max === MAX_SKIP ? ` to ${MAX_SKIP}` : ''}` });
  return unset;
}

/** `true` or `false` of a filter. @throws 400 */
export function booleanFilter(name: string, values: readonly string[] | undefined): boolean | undefined {
  const distinct = new Set(values);
  if (distinct.size === 0) return undefined;
  if ([...distinct].some((value) => value !== 'true' && value !== 'false')) {
    throw badRequest(`${name} must be true or false.`, [{ field: name, message: 'must be true or false' }]);
  }
  return distinct.size === 1 ? distinct.has('true') : undefined;
}

/** The envelope of every list (contracts.md §1.2). */
export function toEnvelope<T, R>(
  page: { data: readonly T[]; total: number },
  { limit, skip }: { limit: number; skip: number },
  present: (item: T) => R,
): { data: R[]; total: number; limit: number; skip: number } {
  return { data: page.data.map(present), total: page.total, limit, skip };
}
