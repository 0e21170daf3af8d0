/** What people do on a consent banner (contracts.md §2.3): these are in interaction reports. */
export const BANNER_TYPES = [
  'CMP_SHOWN',
  'ACCEPT_ALL',
  'ACCEPT_ALL_L1',
  'ACCEPT_ALL_L2',
  'DENY_ALL',
  'DENY_ALL_L1',
  'DENY_ALL_L2',
  'SAVE',
  'SAVE_L1',
  'SAVE_L2',
  'CCPA_TOGGLES_OFF',
  'CCPA_TOGGLES_ON',
  'PRIVACY_POLICY_LINK',
  'IMPRINT_LINK',
  'MORE_INFORMATION_LINK',
] as const;

/** Page views and sessions are in the hourly metrics, decisions in granular reports. */
export const INTERACTION_TYPES = [...BANNER_TYPES, 'PAGE_VIEW', 'SESSION', 'DECISION'] as const;

export type BannerType = (typeof BANNER_TYPES)[number];
export type InteractionType = (typeof INTERACTION_TYPES)[number];

/** As clients spell them; reports have small letters. */
export const ACTION_TYPES = ['explicit', 'implicit', 'EXPLICIT', 'IMPLICIT'] as const;
export type ActionType = (typeof ACTION_TYPES)[number];

/** The largest code of an action (contracts.md §2.2): 0 accept all ... 8 mobile session restore. */
export const MAX_ACTION = 8;

/** Services that a device can decide on in a day under one settings id; banners have dozens. */
export const MAX_DEVICE_SERVICES = 2_000;

/** A service that was decided on. */
export interface ServiceDecision {
  /** The service's id in the settings. */
  template_id: string;
  /** Its name, as reports show it; the id when absent. */
  name?: string | null;
  /** 1 opt-in, 0 opt-out. */
  consent: 0 | 1;
}

/** An interaction as it is sent, over REST and in the topic. */
export interface Interaction {
  organization_id: string;
  /** Given by the sender: a repetition within 24 hours is recognised by it. */
  id?: string | null;
  type: InteractionType;
  settings_id: string;
  /** The device, or the controller id that stands for it; one of them, where decisions are counted per device. */
  device_id?: string | null;
  controller_id?: string | null;
  session_id?: string | null;
  platform?: string | null;
  device_type?: string | null;
  domain?: string | null;
  country?: string | null;
  /** `bot` for bots. */
  browser?: string | null;
  regulation?: string | null;
  /** The client's own time: data, never what a period is chosen by. */
  created_at?: string | null;
  action?: number | null;
  action_type?: ActionType | null;
  services?: readonly ServiceDecision[] | null;
}
