const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');
const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'));
const swc = JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8'));

/** One Jest configuration for every project: aliases come from tsconfig.base.json, the transform from .swcrc. */

// Node waits for requests of the destroyed sockets of a test when it ends by itself, now and then for ever and at full
// load. An explicit exit does not; Jest's listeners still set its code.
process.once('beforeExit', () => process.exit());

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false }] },
  moduleNameMapper: Object.fromEntries(
    Object.entries(compilerOptions.paths).map(([alias, [file]]) => [`^${alias}$`, join(root, file)]),
  ),
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.stack/'],
  reporters: ['default', join(__dirname, 'counts-reporter.cjs')],
  // Longer than whatever a test waits for, whose sentence says more than Jest's own.
  testTimeout: 180_000,
};
