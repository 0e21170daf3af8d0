import type { Database } from '@delivery/platform/postgres';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

function blocksOf(node: PlanNode): number {
  return node['Shared Hit Blocks'] + node['Shared Read Blocks'];
}

/** What a query reads: of which tables, how many rows for the window itself, how many blocks. */
export async function workOf(database: Database, sql: string) {
  const [row] = await database.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
  );
  const root = row?.['QUERY PLAN'][0]?.Plan;
  if (root === undefined) throw new Error('no plan');
  const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
  const scans = nodes(root).filter((node) => node['Relation Name'] !== undefined);
  const touched = scans.filter((node) => node['Actual Loops'] > 0);
  return {
    tables: [...new Set(scans.map((node) => node['Relation Name']))].sort(),
    rows: touched.filter((node) => node['Actual Loops'] === 1).reduce((sum, node) => sum + node['Actual Rows'], 0),
    filtered: touched.reduce((sum, node) => sum + (node['Rows Removed by Filter'] ?? 0), 0),
    // An empty table may be read as Postgres likes.
    sequential: touched
      .filter((node) => node['Node Type'] === 'Seq Scan' && blocksOf(node) > 0)
      .map((node) => node['Relation Name']),
    sorted: nodes(root).some((node) => node['Node Type'].includes('Sort')),
    blocks: blocksOf(root),
  };
}
