/*
 * What the oracle knows of the published event format. Written from the contract and on purpose not shared with the code
 * under test: an oracle that uses the same types, defaults or fold would make the same mistakes.
 */

type Maybe<T> = T | null | undefined;
export type Value = null | boolean | number | string | Value[] | { [name: string]: Value };
export type Values = { [name: string]: Value };

export interface WireChannel {
  id: string;
  enabled?: Maybe<boolean>;
}

export interface WirePreference {
  id: string;
  enabled?: Maybe<boolean>;
  channels?: Maybe<WireChannel[]>;
}

export interface WirePurpose {
  id: string;
  enabled?: Maybe<boolean>;
  enabled_li?: Maybe<boolean>;
  preferences?: Maybe<WirePreference[]>;
}

export interface WireVendors {
  enabled?: Maybe<string[]>;
  enabled_li?: Maybe<string[]>;
  disabled?: Maybe<string[]>;
  disabled_li?: Maybe<string[]>;
}

export interface WireConsents {
  channels?: Maybe<WireChannel[]>;
  purposes?: Maybe<WirePurpose[]>;
  vendors?: Maybe<WireVendors>;
  tcfcs?: Maybe<string>;
}

export interface WireUser {
  id?: Maybe<string>;
  organization_user_id?: Maybe<string>;
  organization_user_id_type?: Maybe<string>;
  metadata?: Maybe<Values>;
  country?: Maybe<string>;
  last_seen_country?: Maybe<string>;
}

/** An event as a producer sends it. */
export interface WireEvent {
  organization_id: string;
  id?: Maybe<string>;
  created_at?: Maybe<string>;
  status?: Maybe<string>;
  regulation?: Maybe<string>;
  source?: Maybe<string>;
  user?: Maybe<WireUser>;
  consents?: Maybe<WireConsents>;
  proofs_id?: Maybe<string[]>;
  delegate?: Maybe<Values>;
  metadata?: Maybe<Values>;
  validation?: Maybe<Values>;
  country?: Maybe<string>;
  last_seen_country?: Maybe<string>;
}
