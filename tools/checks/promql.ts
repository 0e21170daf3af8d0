/** A metric that an expression asks for, with the labels by which it picks series. */
export interface AskedMetric {
  name: string;
  labels: string[];
}

const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'start', 'end', 'atan2']);
const grouping = /\b(by|without|on|ignoring|group_left|group_right)\s*(\([^)]*\))?/gi;

/**
 * The metrics that a PromQL expression names: every name that is no function, keyword, label or number. Grafana's
 * variables (`$name`, `${name}`) count as any text.
 */
export function metricsIn(expr: string): AskedMetric[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\$\{?\w+\}?/g, ' ')
    .replace(grouping, ' ')
    .replace(/\b\d[\w.]*/g, ' ');
  return [...bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g)].flatMap(([, name = '', after = '']) => {
    if (after === '(' || words.has(name.toLowerCase())) return [];
    const labels = [...after.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return [{ name, labels }];
  });
}
