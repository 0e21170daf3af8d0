import type { Interaction } from '@delivery/analytics/domain';
import { interactions, maxInteractionBytes, validateInteraction } from '@delivery/analytics/schema';
import type { ConsentEventInput } from '@delivery/consent/domain';
import { consentEvents, maxEventBytes, validateEvent } from '@delivery/consent/schema';
import type { Intake } from './accept-messages';
import { receivedSpec } from './tally';

export const eventIntake: Intake<ConsentEventInput> = {
  one: 'event',
  many: 'events',
  maxItems: 100,
  maxBytes: maxEventBytes,
  defaults: { source: 'api' },
  topic: consentEvents,
  validate: validateEvent,
  received: receivedSpec('events'),
};

export const interactionIntake: Intake<Interaction> = {
  one: 'interaction',
  many: 'interactions',
  maxItems: 1_000,
  maxBytes: maxInteractionBytes,
  defaults: {},
  topic: interactions,
  validate: validateInteraction,
  received: receivedSpec('interactions'),
};
