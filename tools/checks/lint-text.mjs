/**
 * Lints texts as if they were files of the workspace: reads `[{ "file": "...", "text": "..." }]` from standard input,
 * prints `[["<rule>: <message>", ...], ...]`. A process of its own, because ESLint's configuration is an ES module.
 */
import { readFileSync } from 'node:fs';

import { createProjectGraphAsync } from '@nx/devkit';
import { ESLint } from 'eslint';

// Without a project graph in Nx's cache the boundary rule lets everything pass.
await createProjectGraphAsync();

const eslint = new ESLint();
const answers = [];
for (const { file, text } of JSON.parse(readFileSync(0, 'utf8'))) {
  const results = await eslint.lintText(text, { filePath: file });
  answers.push(results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => `${ruleId}: ${message}`)));
}
process.stdout.write(JSON.stringify(answers));
