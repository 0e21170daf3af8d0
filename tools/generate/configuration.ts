import type { ConfigVariable } from '@delivery/platform/config';

import { apps } from './apps';
import { type GeneratedFile, referenceFolder } from './generator';

const head = `# Configuration

Generated from the configuration classes by \`npm run generate\`.

Services read environment variables and nothing else. All that is wrong is told at once on standard error, and the exit
code is 78. For any variable, \`<NAME>_FILE\` may name a file that holds the value instead, as Docker and Kubernetes mount
secrets. A variable set to the empty text counts as not set.
`;

/** A variable with the services that read it, each with its default there. */
interface Usage {
  variable: ConfigVariable;
  defaults: Map<string, string | undefined>;
}

/** One page: what each service cannot start without, then all variables by concern. */
export function generateConfigurationReference(): GeneratedFile[] {
  const concerns = new Map<string, Map<string, Usage>>();
  for (const { name, variables } of apps) {
    for (const variable of variables) {
      const concern = getOrAdd(concerns, variable.concern, () => new Map<string, Usage>());
      const usage = getOrAdd(concern, variable.variable, () => ({ variable, defaults: new Map() }));
      usage.defaults.set(name, variable.default);
    }
  }
  const sections = [...concerns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, usages]) => section(name, usages));
  return [{ path: `${referenceFolder}/configuration.md`, text: [head, requirements(), ...sections].join('\n') }];
}

function requirements(): string {
  const rows = apps.map(({ name, variables }) => [
    name,
    code(variables.find(({ variable }) => variable === 'HTTP_PORT')?.default),
    variables
      .filter(({ required }) => required)
      .map(({ variable }) => code(variable))
      .join(', '),
  ]);
  return `## What each service needs\n\n${table(['service', 'default port', 'does not start without'], rows)}`;
}

function section(concern: string, usages: ReadonlyMap<string, Usage>): string {
  const title = concern.replace(/Config$/, '').replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const readers = [...new Set([...usages.values()].flatMap(({ defaults }) => [...defaults.keys()]))];
  const rows = [...usages.values()].map((usage) => [
    code(usage.variable.variable),
    meaning(usage.variable),
    defaultOf(usage),
  ]);
  return `## ${title}\n\nRead by ${readers.join(', ')}.\n\n${table(['variable', 'meaning', 'default'], rows)}`;
}

function meaning({ description, constraints, example, secret, type }: ConfigVariable): string {
  const kind = type === 'list' ? ['comma separated'] : type === 'boolean' ? ['`true` or `false`'] : [];
  const rules = [...(secret ? ['**secret**'] : []), ...kind, ...constraints.map(ruleInCode)].join('; ');
  const shown = example === undefined ? '' : ` Example: ${code(example)}.`;
  return `${description}${rules === '' ? '' : ` (${rules})`}${shown}`;
}

/** A regular expression would otherwise be read as Markdown. */
function ruleInCode(rule: string): string {
  return rule.startsWith('matches ') ? `matches ${code(rule.slice('matches '.length))}` : rule;
}

function defaultOf({ variable, defaults }: Usage): string {
  if (variable.required) return 'required';
  const distinct = new Set(defaults.values());
  if (distinct.size <= 1) return code(variable.default);
  return [...defaults].map(([app, value]) => `${app}: ${code(value) || 'none'}`).join('; ');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line), ''].join('\n');
}

function code(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `\`${text}\``;
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
