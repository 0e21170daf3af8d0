import { ValidateIf } from 'class-validator';

/** The property may be left out, but not be null: class-validator's own `IsOptional` lets null through. */
export function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}
