import type { Interaction } from '@delivery/analytics/domain';
import { jsonSchemaOf, type JsonSchema, messageValidator } from '@delivery/consent/schema';
import { forms } from './forms';
import { InteractionMessage } from './interaction.message';
import { interactionRules } from './rules';

export const interactionSchema: JsonSchema = jsonSchemaOf(
  InteractionMessage,
  'urn:consent-delivery:interaction:v1',
  'Interaction',
);

/** Largest message value, in bytes. */
export const maxInteractionBytes = 1_048_576;

const validator = messageValidator<Interaction>({
  schema: interactionSchema,
  rules: interactionRules,
  maxBytes: maxInteractionBytes,
  forms,
});

/** Validates an object that came as JSON, REST and Kafka alike. */
export const validateInteraction = validator.validate;

/** Parses and validates the value of a message on `consent.interactions.v1`. Never throws. */
export const parseInteractionMessage = validator.parse;
