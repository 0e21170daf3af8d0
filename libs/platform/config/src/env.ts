import 'reflect-metadata';

/** A class whose properties carry {@link Env} or {@link Section}. */
export type ConfigClass<T extends object = object> = new () => T;

/** How one property is read from the environment. */
export interface EnvOptions {
  /** Name of the variable; `<name>_FILE` names a file to read the value from instead (Kubernetes secrets). */
  readonly name: string;
  /** What the variable is for, as one sentence; shown in faults and in the reference. */
  readonly description: string;
  /** The value when the variable is not set, written as it would be in the environment. */
  readonly default?: string;
  /** A value that would be accepted; shown in faults and in the reference. */
  readonly example?: string;
  /** The value is never shown: not in faults, not when the configuration object is printed. */
  readonly secret?: boolean;
}

/** What an app changes about a concern that a library declares. */
export interface SectionOptions {
  /** Defaults by variable name, in place of the library's own: `{ HTTP_PORT: '8081' }`. */
  readonly defaults?: Readonly<Record<string, string>>;
}

/** How the text of a variable becomes a value. */
export type EnvType = 'string' | 'number' | 'boolean' | 'list';

export interface EnvProperty extends EnvOptions {
  readonly property: string;
  readonly type: EnvType;
}

export interface SectionProperty {
  readonly property: string;
  readonly cls: ConfigClass;
  readonly defaults: Readonly<Record<string, string>>;
}

const ENV = Symbol('config:env');
const SECTIONS = Symbol('config:sections');

/**
 * Marks a property as read from an environment variable. The property's type decides how: `string`, `number`
 * (decimal notation), `boolean` (`true`, `false`, `1`, `0`) or `string[]` (comma separated, empty items dropped).
 * A union of literals is a string: restrict it with `@IsIn`. A property without a default is required, unless
 * `@IsOptional` or `@ValidateIf` says otherwise. class-validator decorators beside it are applied to the value.
 */
export function Env(options: EnvOptions): PropertyDecorator {
  return (prototype, property) => {
    const type = envType(Reflect.getMetadata('design:type', prototype, property));
    append<EnvProperty>(ENV, prototype, { ...options, property: String(property), type });
  };
}

/** Marks a property as a nested concern, read by the decorators of its own class. */
export function Section(cls: ConfigClass, options: SectionOptions = {}): PropertyDecorator {
  return (prototype, property) =>
    append<SectionProperty>(SECTIONS, prototype, { property: String(property), cls, defaults: options.defaults ?? {} });
}

/** The variables of a class itself (inherited ones first), in the order they are declared. */
export function envProperties(cls: ConfigClass): readonly EnvProperty[] {
  return read<EnvProperty>(ENV, cls.prototype);
}

/** The nested concerns of a class, in the order they are declared. */
export function sectionProperties(cls: ConfigClass): readonly SectionProperty[] {
  return read<SectionProperty>(SECTIONS, cls.prototype);
}

function append<P>(key: symbol, prototype: object, entry: P): void {
  // read() also sees what a parent class declared: copied, so that a subclass never changes its parent.
  Reflect.defineMetadata(key, [...read<P>(key, prototype), entry], prototype);
}

function read<P>(key: symbol, prototype: object): readonly P[] {
  const entries: readonly P[] | undefined = Reflect.getMetadata(key, prototype);
  return entries ?? [];
}

function envType(designType: unknown): EnvType {
  if (designType === Number) return 'number';
  if (designType === Boolean) return 'boolean';
  if (designType === Array) return 'list';
  return 'string';
}
