import { booleanFilter, type ListRules, parseListQuery, type Query } from './list-query';

const rules: ListRules<'createdAt' | 'id'> = {
  sortable: { created_at: 'createdAt', id: 'id' },
  filters: ['type_id'],
  others: ['export_id'],
  defaultSort: [{ by: 'createdAt', descending: true }],
};
const read = (query: Query) => parseListQuery(query, rules);

function faultsOf(query: Query): unknown {
  try {
    return read(query);
  } catch (error) {
    return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
      ? error.errors.map(({ field }: { field: string }) => field)
      : error;
  }
}

describe('parseListQuery', () => {
  it('has the defaults of the contract', () => {
    expect(read({ organization_id: 'acme', export_id: 'x' })).toEqual({
      limit: 100,
      skip: 0,
      sort: [{ by: 'createdAt', descending: true }],
      filters: {},
    });
  });

  it.each<[Query, object]>([
    [
      { $limit: '10', $skip: '20' },
      { limit: 10, skip: 20 },
    ],
    [{ $limit: '5000' }, { limit: 100 }],
    [{ $limit: '0' }, { limit: 0 }],
    [{ $sort: '-id' }, { sort: [{ by: 'id', descending: true }] }],
    [{ $sort: 'created_at' }, { sort: [{ by: 'createdAt', descending: false }] }],
    [{ '$sort[created_at]': '-1' }, { sort: [{ by: 'createdAt', descending: true }] }],
    [{ type_id: 'a' }, { filters: { type_id: ['a'] } }],
    [{ 'type_id[$in]': ['a', 'b'] }, { filters: { type_id: ['a', 'b'] } }],
  ])('reads %j', (query, expected) => {
    expect(read(query)).toMatchObject(expected);
  });

  it.each<[Query, string[]]>([
    [{ $limit: '-1' }, ['$limit']],
    [{ $limit: 'all' }, ['$limit']],
    [{ $limit: ['1', '2'] }, ['$limit']],
    [{ $skip: '1.5' }, ['$skip']],
    [{ $skip: '99999999' }, ['$skip']],
    [{ $sort: 'constructor' }, ['$sort']],
    [{ '$sort[created_at]': 'up' }, ['$sort[created_at]']],
    [{ typeid: 'a' }, ['typeid']],
    [{ type_id: ['a', 'b'] }, ['type_id']],
    [{ $limit: 'x', nope: '1' }, ['nope', '$limit']],
  ])('refuses %j', (query, fields) => {
    expect(faultsOf(query)).toEqual(fields);
  });

  it('says which orders there are, or that there is none', () => {
    expect(() => read({ $sort: 'name' })).toThrow(
      expect.objectContaining({ errors: [{ field: '$sort', message: expect.stringContaining('created_at, id') }] }),
    );
    expect(() => parseListQuery({ $sort: 'id' }, { ...rules, sortable: {} })).toThrow(
      expect.objectContaining({ errors: [{ field: '$sort', message: expect.stringContaining('order is fixed') }] }),
    );
  });
});

describe('booleanFilter', () => {
  it('reads true, false, both and neither', () => {
    expect(booleanFilter('enabled', undefined)).toBeUndefined();
    expect(booleanFilter('enabled', ['true'])).toBe(true);
    expect(booleanFilter('enabled', ['false'])).toBe(false);
    expect(booleanFilter('enabled', ['true', 'false'])).toBeUndefined();
    expect(() => booleanFilter('enabled', ['yes'])).toThrow('must be true or false');
  });
});
