export { commandTypes, ConsentCommandMessage } from './consent-command.message';
export {
  ChannelMessage,
  ConsentEventMessage,
  ConsentsMessage,
  DelegateMessage,
  EventUserMessage,
  PreferenceMessage,
  PurposeMessage,
  VendorsMessage,
} from './consent-event.message';
export { dateFaults } from './date-rule';
export { type Form, form, forms } from './forms';
export { jsonSchemaOf, type JsonSchema } from './json-schema';
export { type MessageKind, messageValidator, type MessageValidator, type Validated } from './message-validator';
export type { Reason } from './reasons';
export {
  consentCommands,
  consentCommandsTopic,
  consentEvents,
  consentEventsRejectedTopic,
  consentEventsTopic,
  consentRecorderGroup,
  consentRecorderName,
  topicSpecs,
} from './topics';
export { mayBeUnsafe, unsafeReason, unsafeText } from './unsafe-text';
export { consentEventSchema, maxEventBytes, parseEventMessage, validateEvent } from './validate-event';
