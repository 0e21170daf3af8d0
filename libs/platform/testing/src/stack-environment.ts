import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The workspace root: where the test's project lies, upwards to the folder of nx.json. */
export function workspaceRoot(from = __dirname): string {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, 'nx.json'))) return at;
    if (at === dirname(at)) throw new Error(`no workspace above ${from}`);
  }
}

/**
 * Variables that point at the running local stack: those of the environment first, then those of the stack's own file.
 * @throws with the command to run when there is none.
 */
export function stackEnvironment(): Record<string, string> {
  const file = join(process.env['STACK_DIR'] ?? join(workspaceRoot(), '.stack'), 'env');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const stored = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const environment: Record<string, string> = { ...stored };
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) environment[name] = value;
  if (!environment['DATABASE_URL'] || !environment['KAFKA_BROKERS']) {
    throw new Error('No local stack runs. Start it: npm run stack -- up');
  }
  return environment;
}
