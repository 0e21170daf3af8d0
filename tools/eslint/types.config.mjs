import tseslint from 'typescript-eslint';

/**
 * The few rules that need the compiler's types, for all code in one run: per project each run would load Nest and the
 * SDKs again. `npm run lint` runs them as the target `lint-types` of the project `tools`.
 */
export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.nx/', '.stack/', 'coverage/', 'docs/'] },
  // The comments in the code are about eslint.config.mjs, whose rules are not loaded here.
  { linterOptions: { reportUnusedDisableDirectives: 'off' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // A promise that nobody awaits fails where nobody looks, and ends the process.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { inheritedMethods: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
);
