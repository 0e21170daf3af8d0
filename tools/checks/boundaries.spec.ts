import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** Lints each text as if it were saved at its path, all in one process. */
function lint(samples: { file: string; text: string }[]): string[][] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(__dirname, 'lint-text.mjs')], {
    cwd: root,
    input: JSON.stringify(samples),
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const boundary = '@nx/enforce-module-boundaries';

const forbidden: [why: string, file: string, text: string, rule: string][] = [
  [
    'a domain does not know the platform',
    'libs/consent/domain/src/x.ts',
    "import '@delivery/platform/config';",
    boundary,
  ],
  ['a domain does not know a store', 'libs/exports/domain/src/x.ts', "import '@delivery/ingest/store';", boundary],
  [
    'a scope does not know what is built on it',
    'libs/platform/config/src/x.ts',
    "import '@delivery/consent/domain';",
    boundary,
  ],
  [
    'scopes side by side do not meet',
    'libs/consent/store/src/x.ts',
    "import '@delivery/destinations/driver';",
    boundary,
  ],
  ['a domain imports no packages', 'libs/consent/domain/src/x.ts', "import 'pg';", boundary],
  ['a domain does no input or output', 'libs/consent/domain/src/x.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['kafkajs stays in its library', 'libs/ingest/recorder/src/x.ts', "import 'kafkajs';", boundary],
  ['typeorm stays in stores', 'libs/ingest/recorder/src/x.ts', "import 'typeorm';", boundary],
  [
    'a store opens no connection',
    'libs/consent/store/src/x.ts',
    "import { DataSource } from 'typeorm'; void DataSource;",
    'no-restricted-imports',
  ],
  ['a driver has its own SDK only', 'libs/destinations/s3/src/x.ts', "import '@google-cloud/storage';", boundary],
  ['a driver does not know Nest', 'libs/destinations/s3/src/x.ts', "import '@nestjs/common';", boundary],
  ['test kits stay in tests', 'libs/destinations/s3/src/x.ts', "import '@delivery/destinations/testing';", boundary],
  [
    'projects meet through their aliases',
    'libs/ingest/store/src/x.ts',
    "import '../../../platform/config/src/env';",
    boundary,
  ],
  ['packages are named in package.json', 'tools/checks/x.ts', "import 'semver';", boundary],
  ['no any', 'libs/consent/domain/src/x.ts', 'export const x: any = 1;', '@typescript-eslint/no-explicit-any'],
  [
    'no non-null assertion',
    'libs/consent/domain/src/x.ts',
    'export const x = (y?: string): string => y!;',
    '@typescript-eslint/no-non-null-assertion',
  ],
  [
    'configuration is read in one place',
    'libs/consent/store/src/x.ts',
    'export const x = process.env;',
    'no-restricted-properties',
  ],
];

const allowed: [why: string, file: string, text: string][] = [
  ['a domain hashes', 'libs/consent/domain/src/x.ts', "import 'node:crypto';"],
  ['a store knows the platform', 'libs/ingest/store/src/x.ts', "import '@delivery/platform/config';"],
  ['a feature knows a store of its scope', 'libs/ingest/recorder/src/x.ts', "import '@delivery/ingest/store';"],
  [
    'a driver knows the contract and its SDK',
    'libs/destinations/s3/src/x.ts',
    "import '@delivery/destinations/driver'; import '@aws-sdk/client-s3';",
  ],
  ['a spec uses a test kit', 'libs/destinations/s3/src/x.int-spec.ts', "import '@delivery/destinations/testing';"],
  [
    'postgres wraps its packages',
    'libs/platform/postgres/src/x.ts',
    "import { DataSource } from 'typeorm'; import 'pg'; void DataSource;",
  ],
];

describe('lint', () => {
  const samples = [...forbidden, ...allowed].map(([, file, text]) => ({ file, text: `${text}\n` }));
  let found: string[][];

  beforeAll(() => {
    found = lint(samples);
  });

  it.each(forbidden.map(([why, , , rule], index) => ({ why, rule, index })))('refuses: $why', ({ rule, index }) => {
    expect(found[index]).toEqual([expect.stringContaining(`${rule}: `)]);
  });

  it.each(allowed.map(([why], index) => ({ why, index })))('accepts: $why', ({ index }) => {
    expect(found[forbidden.length + index]).toEqual([]);
  });
});
