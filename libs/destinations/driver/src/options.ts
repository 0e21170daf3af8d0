import { validateSync } from 'class-validator';
import { DestinationError } from './errors';

const secrets = new WeakMap<object, Set<string>>();

/** Marks an option that must never be logged, shown or returned. */
export function Secret(): PropertyDecorator {
  return (prototype, name) => {
    const names = secrets.get(prototype) ?? new Set<string>();
    secrets.set(prototype, names.add(String(name)));
  };
}

/** The names of an options class's properties that are marked with {@link Secret}. */
export function secretOptions(type: abstract new () => object): ReadonlySet<string> {
  return secrets.get(type.prototype) ?? new Set();
}

/**
 * Checks plain options against their decorated class; all faults are in the message, values never are.
 *
 * @param given a plain object; properties that the class does not declare are refused
 * @throws DestinationError `invalid_configuration`
 */
export function checkOptions<T extends object>(type: new () => T, given: T, what: string): T {
  // Not `new type()`: some compilers make a property of every declared field, given or not.
  const options: T = Object.assign(Object.create(type.prototype), given);
  const faults = validateSync(options, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  }).flatMap((fault) => Object.values(fault.constraints ?? { invalid: `${fault.property} is not valid` }));
  if (faults.length > 0) {
    throw new DestinationError('invalid_configuration', `${what} cannot be used: ${faults.join('; ')}.`);
  }
  return options;
}
