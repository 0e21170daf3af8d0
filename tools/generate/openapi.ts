import { apps } from './apps';
import { type GeneratedFile, referenceFolder } from './generator';

/** The OpenAPI document of every service with an API, as it serves it at `/docs-json`. */
export async function generateOpenApi(): Promise<GeneratedFile[]> {
  const files: GeneratedFile[] = [];
  // One after the other: Nest keeps what the decorators said in one place per process.
  for (const { name, openApi } of apps) {
    if (openApi === undefined) continue;
    files.push({ path: `${referenceFolder}/openapi-${name}.json`, text: JSON.stringify(await openApi()) });
  }
  return files;
}
