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
export { jsonSchemaOf, type JsonSchema } from './json-schema';
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
export { unsafeText } from './unsafe-text';
export {
  consentEventSchema,
  maxEventBytes,
  parseEventMessage,
  unsafeReason,
  validateEvent,
  type Validated,
} from './validate-event';
