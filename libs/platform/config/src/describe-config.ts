import { getMetadataStorage } from 'class-validator';
import { type ConfigClass, type EnvType, envProperties, sectionProperties } from './env';
import { isOptional } from './load-config';

/** One environment variable, as the generated reference shows it. */
export interface ConfigVariable {
  readonly variable: string;
  readonly description: string;
  /** As it would be written in the environment; absent when there is none. */
  readonly default?: string;
  readonly example?: string;
  /** True when the process does not start without it. */
  readonly required: boolean;
  readonly secret: boolean;
  readonly type: EnvType;
  /** The rules in words: `at least 1`, `one of a, b`. */
  readonly constraints: readonly string[];
  /** The class that declares it: variables of one concern stay together. */
  readonly concern: string;
}

/**
 * Lists every variable a configuration class reads, nested concerns included, in the order they are declared.
 * Made from the same decorators that {@link loadConfig} applies, so the reference cannot differ from the code.
 */
export function describeConfig(
  cls: ConfigClass,
  defaults: Readonly<Record<string, string>> = {},
): readonly ConfigVariable[] {
  const own = envProperties(cls).map((property): ConfigVariable => {
    const fallback = defaults[property.name] ?? property.default;
    return {
      variable: property.name,
      description: property.description,
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(property.example === undefined ? {} : { example: property.example }),
      required: fallback === undefined && !isOptional(cls, property.property),
      secret: property.secret ?? false,
      type: property.type,
      constraints: constraintsOf(cls, property.property),
      concern: cls.name,
    };
  });
  const nested = sectionProperties(cls).flatMap((section) =>
    describeConfig(section.cls, { ...section.defaults, ...defaults }),
  );
  return [...own, ...nested];
}

function constraintsOf(cls: ConfigClass, property: string): readonly string[] {
  return getMetadataStorage()
    .getTargetValidationMetadatas(cls, '', false, false)
    .filter((rule) => rule.propertyName === property && rule.type === 'customValidation')
    .flatMap((rule) => inWords(rule.name ?? '', rule.constraints ?? []))
    .sort();
}

/** Rules that only repeat the type say nothing new; an unknown rule is named rather than left out. */
function inWords(rule: string, [first, second]: readonly unknown[]): readonly string[] {
  switch (rule) {
    case 'isString':
    case 'isNumber':
    case 'isBoolean':
    case 'isArray':
    case 'isNotEmpty':
      return [];
    case 'isInt':
      return ['a whole number'];
    case 'min':
      return [`at least ${String(first)}`];
    case 'max':
      return [`at most ${String(first)}`];
    case 'isIn':
      return [`one of ${Array.isArray(first) ? first.join(', ') : String(first)}`];
    case 'matches':
      return [`matches ${String(first)}`];
    case 'minLength':
      return [`at least ${String(first)} characters`];
    case 'maxLength':
      return [`at most ${String(first)} characters`];
    case 'isLength':
      return [`${String(first)} to ${String(second)} characters`];
    case 'arrayNotEmpty':
      return ['at least one item'];
    default:
      return [rule];
  }
}
