/** The tenant. Every row, message and file belongs to one. */
export interface Organization {
  organizationId: string;
  name: string;
  /** Whether events of users without an `organization_user_id` are exported too (contracts.md D-24). */
  exportsGuests: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const ORGANIZATION_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The rule in words, for messages. */
export const ORGANIZATION_ID_RULE = '1 to 63 lower-case letters, digits, "-" and "_", beginning with a letter or digit';

export function isOrganizationId(value: string): boolean {
  return ORGANIZATION_ID.test(value);
}

/** A key that programs of an organization sign in with. Its secret exists only at its creation. */
export interface ApiKey {
  organizationId: string;
  id: string;
  name: string;
  description: string;
  enabled: boolean;
  createdAt: Date;
}
