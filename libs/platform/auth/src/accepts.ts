import { SetMetadata } from '@nestjs/common';
import type { CredentialScheme } from './credentials';

export const ACCEPTS = Symbol('auth:accepts');

/** The ways of authentication that a controller or method accepts; on a method it replaces the controller's. */
export function Accepts(first: CredentialScheme, ...others: CredentialScheme[]): MethodDecorator & ClassDecorator {
  return SetMetadata(ACCEPTS, [first, ...others]);
}

/** For a route that anybody may call. */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata(ACCEPTS, []);
}
