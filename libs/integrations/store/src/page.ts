/** A slice of a list, and in which order. */
export interface PageRequest<Column extends string> {
  limit: number;
  skip: number;
  /** First to last; equal rows are ordered by id, so that pages never overlap. */
  sort: readonly { by: Column; descending: boolean }[];
}

export interface Page<T> {
  data: T[];
  /** Of the whole list, whatever the slice. */
  total: number;
}

/** TypeORM's `order` for a page; the order of its keys is the order of the columns in SQL. */
export function orderOf<Column extends string>(sort: PageRequest<Column>['sort']): Record<string, 'ASC' | 'DESC'> {
  const order: Record<string, 'ASC' | 'DESC'> = {};
  for (const { by, descending } of sort) order[by] ??= descending ? 'DESC' : 'ASC';
  order['id'] ??= 'ASC';
  return order;
}
