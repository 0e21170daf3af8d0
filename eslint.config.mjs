import { builtinModules } from 'node:module';

import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/**
 * Directions. Every project has one `type:` tag (what kind of code it is) and one `scope:` tag (which part of the
 * business it belongs to); a dependency must be allowed by both. docs/architecture.md has the picture.
 *
 * The boundary rule reads Nx's project graph, so lint runs through Nx (`npm run lint`, `npx nx lint <project>`);
 * tools/checks proves that a forbidden import fails.
 */
const nest = ['@nestjs/*', 'reflect-metadata', 'rxjs'];
const shapes = ['class-validator', 'class-transformer'];
const values = ['temporal-polyfill', 'uuid'];

/** `uses`: types it may depend on. `packages`: npm packages it may import; without the list, any. */
const types = {
  domain: { uses: ['domain'], packages: [...values, '@iabtcf/core'] },
  contract: {
    uses: ['contract', 'domain'],
    packages: [...shapes, 'class-validator-jsonschema', '@nestjs/swagger', 'reflect-metadata', 'ajv', 'ajv-formats'],
  },
  store: { uses: ['domain', 'platform'], packages: ['typeorm', 'pg', 'pg-copy-streams', '@nestjs/common'] },
  driver: { uses: ['contract', 'domain'], packages: shapes },
  feature: { uses: ['store', 'contract', 'domain', 'platform'], packages: [...nest, ...shapes, ...values] },
  platform: { uses: ['platform'], packages: [...nest, ...shapes, ...values] },
  app: {
    uses: ['feature', 'driver', 'store', 'contract', 'domain', 'platform'],
    packages: [...nest, ...shapes, ...values, 'fastify'],
    not: ['@nestjs/typeorm'],
  },
  testing: { uses: ['testing', 'feature', 'driver', 'store', 'contract', 'domain', 'platform'] },
  tool: { uses: ['testing', 'feature', 'driver', 'store', 'contract', 'domain', 'platform'] },
};

const scopes = {
  platform: [],
  ingest: ['platform'],
  consent: ['platform', 'ingest'],
  activity: ['platform', 'ingest'],
  destinations: ['platform', 'ingest'],
  analytics: ['platform', 'ingest', 'consent', 'activity', 'destinations'],
  exports: ['platform', 'ingest', 'consent', 'activity', 'destinations'],
  integrations: ['platform', 'ingest', 'consent', 'activity', 'destinations', 'analytics', 'exports'],
};
scopes.app = Object.keys(scopes);
scopes.tool = Object.keys(scopes);

/** Packages that exactly one library wraps: the rest of the code uses that library. */
const wrapped = {
  'libs/platform/kafka': ['kafkajs'],
  'libs/platform/postgres': ['typeorm', 'pg', 'pg-copy-streams', '@nestjs/typeorm'],
  'libs/platform/service': ['fastify', '@fastify/*', 'nestjs-pino', 'pino', 'pino-http', 'prom-client'],
  'libs/platform/tracing': ['@opentelemetry/*'],
  'libs/platform/auth': ['jose', 'rate-limiter-flexible', 'fastify'],
  'libs/destinations/s3': ['@aws-sdk/client-s3', '@aws-sdk/client-sts', '@aws-sdk/s3-request-presigner', '@smithy/*'],
  'libs/destinations/gcs': ['@google-cloud/storage'],
  'libs/destinations/provisioner-s3': ['@aws-sdk/*', '@smithy/*'],
  'apps/analytics-aggregator': ['csv-stringify'],
};

/** Tests, and the helpers beside them: they may use what a test kit may, within their scope. */
const testFiles = ['**/*.spec.ts', '**/*.int-spec.ts', '**/test/**/*.ts', 'apps/e2e/**/*.ts'];

function boundaries({ tests = false, extra = [], allow = [] } = {}) {
  const tagged = (axis, names) => names.map((name) => `${axis}:${name}`);
  const globs = (packages) => packages.flatMap((name) => [name, `${name}/*`]);
  const byType = Object.entries(types).map(([type, { uses, packages, not }]) => ({
    sourceTag: `type:${type}`,
    onlyDependOnLibsWithTags: tagged('type', tests ? types.testing.uses : uses),
    ...(!tests && packages && { allowedExternalImports: globs([...packages, ...extra]) }),
    ...(!tests && not && { bannedExternalImports: globs(not) }),
  }));
  const byScope = Object.entries(scopes).map(([scope, below]) => ({
    sourceTag: `scope:${scope}`,
    onlyDependOnLibsWithTags: tagged('scope', [scope, ...below]),
  }));
  return [
    'error',
    {
      banTransitiveDependencies: true,
      // A driver is loaded where it is opened; that is no promise about other importers.
      checkDynamicDependenciesExceptions: ['.*'],
      // Test kits use the library they help to test.
      ignoredCircularDependencies: [['*-testing', '*']],
      allow,
      depConstraints: [...byType, ...byScope],
    },
  ];
}

const bareBuiltins = {
  regex: `^(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`,
  message: 'Write node:<module>.',
};

function restrictedImports(...patterns) {
  return ['error', { patterns: [bareBuiltins, ...patterns] }];
}

const environment = {
  object: 'process',
  property: 'env',
  message: 'Configuration comes through @delivery/platform/config.',
};

const focusedTests = ['it', 'test', 'describe'].flatMap((object) =>
  ['only', 'skip', 'todo'].map((property) => ({ object, property, message: 'Every test runs, or is removed.' })),
);

const syntax = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
  { selector: 'TSInterfaceDeclaration[id.name=/^I[A-Z][a-z]/]', message: 'Interfaces have no I prefix.' },
  {
    selector: 'ClassDeclaration[id.name=/^(Base|Abstract)|(Impl|Helper|Manager|Util|Utils)$/]',
    message: 'Name what the class does.',
  },
  {
    selector: 'TSAsExpression > TSAsExpression',
    message: 'Two casts in a row switch the compiler off: parse the value instead.',
  },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.nx/', '.stack/', 'coverage/', 'test-results/', 'docs/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(),
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-require-imports': 'error',
      '@typescript-eslint/no-namespace': 'error',
      '@typescript-eslint/no-unsafe-function-type': 'error',
      '@typescript-eslint/no-wrapper-object-types': 'error',
      'no-restricted-imports': restrictedImports(),
      'no-restricted-properties': ['error', environment],
      'no-restricted-syntax': ['error', ...syntax],
      'no-warning-comments': 'error',
      'max-lines': ['warn', { max: 350, skipBlankLines: true }],
      'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['warn', 5],
      'no-console': 'error',
      'no-control-regex': 'error',
      'no-empty': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-debugger': 'error',
      'no-eval': 'error',
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-unsafe-finally': 'error',
      'no-unreachable': 'error',
      'require-yield': 'error',
      'use-isnan': 'error',
      eqeqeq: 'error',
    },
  },
  ...Object.entries(wrapped).map(([folder, extra]) => ({
    files: [`${folder}/**/*.ts`],
    rules: { '@nx/enforce-module-boundaries': boundaries({ extra }) },
  })),
  {
    files: ['libs/*/domain/**/*.ts'],
    rules: {
      'no-restricted-imports': restrictedImports({
        regex: '^node:(?!crypto$)',
        message: 'A domain library is pure: of Node it uses only the hashes of node:crypto.',
      }),
    },
  },
  {
    files: ['libs/*/store/**/*.ts'],
    rules: {
      'no-restricted-imports': restrictedImports({
        regex: '^typeorm$',
        importNames: ['DataSource'],
        message: 'Connections are opened in @delivery/platform/postgres.',
      }),
    },
  },
  ...['s3', 'gcs'].map((own) => ({
    files: [`apps/exporter-${own}/**/*.ts`],
    rules: {
      'no-restricted-imports': restrictedImports({
        regex: `^@delivery/destinations/(?!config$|driver$|${own}$)`,
        message: `exporter-${own} delivers through the ${own} driver only.`,
      }),
    },
  })),
  {
    files: ['tools/**/*.ts', 'libs/platform/{config,service}/**/*.ts', 'libs/*/testing/**/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['tools/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    // What is generated describes the apps, which are no libraries and have no alias.
    files: ['tools/generate/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries({ allow: ['../../apps/**'] }) },
  },
  // One SQL text, and one list of cases, are as long as they are.
  { files: ['**/migrations/*.ts', 'libs/*/testing/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: testFiles,
    rules: {
      '@nx/enforce-module-boundaries': boundaries({ tests: true }),
      'no-restricted-imports': restrictedImports(),
      'no-restricted-properties': ['error', ...focusedTests],
      'no-console': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
    },
  },
  {
    // Contents read tables of libraries beside and above this one: the test platform has them all.
    files: ['libs/exports/engine/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries({
        tests: true,
        allow: ['@delivery/analytics/schema', '@delivery/analytics/store', '@delivery/integrations/store'],
      }),
    },
  },
  {
    // The stories are told with the tools' oracle and service runner, which no library may use.
    files: ['apps/e2e/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries({ tests: true, allow: ['../../../tools/**'] }) },
  },
  {
    // A project of its own, so that its tests run alone, made of the other tools.
    files: ['tools/faults/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries({ tests: true, allow: ['../**'] }) },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    rules: {
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      eqeqeq: 'error',
      'no-empty': 'error',
    },
  },
);
