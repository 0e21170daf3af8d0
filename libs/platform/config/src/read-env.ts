import { readFileSync } from 'node:fs';
import type { EnvProperty } from './env';

/** What a variable's text can become. */
export type EnvValue = string | number | boolean | string[];

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
const DECIMAL = /^[+-]?\d+(\.\d+)?$/;

/** The text of `<name>`, or of the file that `<name>_FILE` points at; both at once would hide a mistake. */
export function readEnvText(name: string, env: NodeJS.ProcessEnv): { text?: string; fault?: string } {
  const direct = env[name];
  const file = env[`${name}_FILE`];
  const hasDirect = direct !== undefined && direct !== '';
  if (file === undefined || file === '') return hasDirect ? { text: direct } : {};
  if (hasDirect) return { fault: `${name} and ${name}_FILE are both set: keep one` };
  try {
    // Editors and `kubectl create secret --from-file` leave a line end behind that is no part of the secret.
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return { fault: `${name}_FILE names ${file}, which cannot be read (${errorCode(error)})` };
  }
}

/** Turns the text of a variable into the type of its property; faults never quote a secret. */
export function parseEnvText(property: EnvProperty, text: string): { value?: EnvValue; fault?: string } {
  const got = property.secret ? '' : `, not "${text}"`;
  switch (property.type) {
    case 'number':
      return DECIMAL.test(text.trim())
        ? { value: Number(text) }
        : { fault: `${property.name} must be a number in decimal notation${got}` };
    case 'boolean': {
      const value = BOOLEANS.get(text.trim().toLowerCase());
      return value === undefined ? { fault: `${property.name} must be true or false${got}` } : { value };
    }
    case 'list':
      return {
        value: text
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      };
    case 'string':
      return { value: text };
  }
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown error';
}
