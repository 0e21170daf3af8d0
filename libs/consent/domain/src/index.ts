export { eventDocument, parseEventDocument, parseUserDocument, userDocument } from './documents';
export {
  isGuestEvent,
  orderKeyOf,
  type ChannelChoice,
  type Choice,
  type ConsentEvent,
  type Consents,
  type Delegate,
  type EventStatus,
  type Json,
  type JsonObject,
  type PreferenceChoice,
  type PurposeChoice,
  type VendorChoices,
} from './event';
export { applyEvent, foldEvents } from './fold';
export { derivedUserId, eventIdFromPosition, newEventId } from './ids';
export {
  normalizeConsents,
  normalizeEvent,
  type Arrival,
  type ConsentEventInput,
  type ConsentsInput,
} from './normalize-event';
export { compareOrderKeys, type OrderKey, type Position } from './order-key';
export type { ConsentUserState } from './user-state';
