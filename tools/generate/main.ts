import { undescribedApps } from './apps';
import { generateAsyncApi } from './asyncapi';
import { generateConfigurationReference } from './configuration';
import { differences, generateAll, type Generator, referenceFolder, writeAll } from './generator';
import { generateJsonSchemas } from './json-schemas';
import { generateMetricsReference } from './metrics';
import { generateOpenApi } from './openapi';

const help = `Writes the reference in ${referenceFolder}/ from the code: JSON Schema, AsyncAPI, OpenAPI, configuration, metrics.

  npm run generate               write what changed
  npm run generate -- --check    write nothing; exit code 1 and the list of files that would change
`;

const generators: readonly Generator[] = [
  generateJsonSchemas,
  generateAsyncApi,
  generateOpenApi,
  generateConfigurationReference,
  generateMetricsReference,
];

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(help);
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown.join(' ')}.\n\n${help}`);
  const root = process.cwd();
  for (const app of undescribedApps(root)) fail(`${app} is not described: add it to tools/generate/apps.ts`);
  const files = await generateAll(generators);
  if (!args.includes('--check')) return report(writeAll(root, files), 'written');
  const changes = differences(root, files);
  report(changes, 'would change: npm run generate');
  if (changes.length > 0) process.exitCode = 1;
}

function report(changes: readonly string[], what: string): void {
  for (const change of changes) console.log(change);
  console.log(changes.length === 0 ? 'The reference is up to date.' : `${changes.length} files ${what}`);
}

function fail(sentence: string): void {
  console.error(sentence);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
