import { inspect } from 'node:util';
import { getMetadataStorage, validateSync } from 'class-validator';
import { type ConfigClass, type EnvProperty, envProperties, sectionProperties } from './env';
import { ConfigError, type ConfigFault } from './errors';
import { type EnvValue, parseEnvText, readEnvText } from './read-env';

/**
 * Reads and checks a configuration.
 *
 * @param cls - the class whose properties carry `@Env` and `@Section`
 * @param env - where to read from; a variable set to the empty string counts as not set
 * @returns a new instance; printing or serialising it hides its secrets
 * @throws ConfigError naming every fault of every section; never the value of a secret
 */
export function loadConfig<T extends object>(cls: ConfigClass<T>, env: NodeJS.ProcessEnv = process.env): T {
  const faults: ConfigFault[] = [];
  const config = loadSection(cls, env, {}, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

function loadSection<T extends object>(
  cls: ConfigClass<T>,
  env: NodeJS.ProcessEnv,
  defaults: Readonly<Record<string, string>>,
  faults: ConfigFault[],
): T {
  const section = new cls();
  const unusable = new Set<string>();
  for (const property of envProperties(cls)) {
    const outcome = readProperty(property, env, defaults, isOptional(cls, property.property));
    if (outcome.fault !== undefined) {
      faults.push(faultOf(property, outcome.fault));
      unusable.add(property.property);
    } else if (outcome.value !== undefined) {
      Reflect.set(section, property.property, outcome.value);
    }
  }
  checkSection(cls, section, unusable, faults);
  for (const nested of sectionProperties(cls)) {
    const merged = { ...nested.defaults, ...defaults };
    Reflect.set(section, nested.property, loadSection(nested.cls, env, merged, faults));
  }
  hideSecrets(section, envProperties(cls));
  return section;
}

function readProperty(
  property: EnvProperty,
  env: NodeJS.ProcessEnv,
  defaults: Readonly<Record<string, string>>,
  optional: boolean,
): { value?: EnvValue; fault?: string } {
  const set = readEnvText(property.name, env);
  if (set.fault !== undefined) return { fault: set.fault };
  const text = set.text ?? defaults[property.name] ?? property.default;
  if (text === undefined) return optional ? {} : { fault: `${property.name} is not set` };
  return parseEnvText(property, text);
}

/** Applies the class-validator rules; what could not even be read is not reported a second time. */
function checkSection(cls: ConfigClass, section: object, unusable: ReadonlySet<string>, faults: ConfigFault[]): void {
  const properties = new Map(envProperties(cls).map((property) => [property.property, property]));
  const errors = validateSync(section, {
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  for (const error of errors) {
    const property = properties.get(error.property);
    if (property === undefined || unusable.has(error.property)) continue;
    const value: unknown = Reflect.get(section, error.property);
    if (value === undefined) {
      faults.push(faultOf(property, `${property.name} is not set`));
      continue;
    }
    for (const sentence of Object.values(error.constraints ?? {})) {
      faults.push(faultOf(property, ruleSentence(property, sentence, value)));
    }
  }
}

/** class-validator speaks of the property; the reader knows only the variable. */
function ruleSentence(property: EnvProperty, sentence: string, value: unknown): string {
  const named = sentence.startsWith(property.property)
    ? property.name + sentence.slice(property.property.length)
    : `${property.name}: ${sentence}`;
  return property.secret ? hideValue(named, value) : named;
}

/** A rule's own message may quote the value (`$value`). */
function hideValue(sentence: string, value: unknown): string {
  const parts = Array.isArray(value) ? [value.join(','), ...value] : [value];
  return parts
    .map(String)
    .filter((part) => part !== '')
    .reduce((text, part) => text.replaceAll(part, '[hidden]'), sentence);
}

function faultOf(property: EnvProperty, message: string): ConfigFault {
  const { name: variable, description, example } = property;
  return { variable, message, description, ...(example === undefined ? {} : { example }) };
}

/** Whether `@IsOptional` or `@ValidateIf` lets the property be absent (the latter is then checked by its rules). */
export function isOptional(cls: ConfigClass, property: string): boolean {
  return getMetadataStorage()
    .getTargetValidationMetadatas(cls, '', false, false)
    .some((rule) => rule.propertyName === property && rule.type === 'conditionalValidation');
}

/** A configuration that ends up in a log line or an inspected error must not show its secrets. */
function hideSecrets(section: object, properties: readonly EnvProperty[]): void {
  const secrets = new Set(properties.filter((property) => property.secret).map((property) => property.property));
  const shown = () =>
    Object.fromEntries(Object.entries(section).map(([key, value]) => [key, secrets.has(key) ? '[hidden]' : value]));
  Object.defineProperty(section, 'toJSON', { value: shown, enumerable: false });
  Object.defineProperty(section, inspect.custom, { value: shown, enumerable: false });
}
