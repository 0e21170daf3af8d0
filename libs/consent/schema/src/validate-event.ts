import type { ConsentEventInput } from '@delivery/consent/domain';
import { ConsentEventMessage } from './consent-event.message';
import { forms } from './forms';
import { jsonSchemaOf, type JsonSchema } from './json-schema';
import { messageValidator } from './message-validator';
import { eventRules } from './rules';

export const consentEventSchema: JsonSchema = jsonSchemaOf(
  ConsentEventMessage,
  'urn:consent-delivery:consent-event:v1',
  'Consent event',
);

/** Largest message value, in bytes. */
export const maxEventBytes = 1_048_576;

const validator = messageValidator<ConsentEventInput>({
  schema: consentEventSchema,
  rules: eventRules,
  maxBytes: maxEventBytes,
  forms,
  notSupported: { proofs: 'proofs cannot be sent inside an event yet; leave them out.' },
});

/** Validates an object that came as JSON, REST and Kafka alike. */
export const validateEvent = validator.validate;

/** Parses and validates the value of a message on `consent.events.v1`. Never throws. */
export const parseEventMessage = validator.parse;
