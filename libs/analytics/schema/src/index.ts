export { InteractionMessage, ServiceDecisionMessage } from './interaction.message';
export { reportManifestSchema } from './report-manifest.schema';
export { ReportsRequestedMessage } from './reports-requested.message';
export {
  hoursName,
  interactionRecorderGroup,
  interactionRecorderName,
  interactions,
  interactionsRejectedTopic,
  interactionsTopic,
  reportsRequested,
  reportsRequestedTopic,
  topicSpecs,
} from './topics';
export {
  interactionSchema,
  maxInteractionBytes,
  parseInteractionMessage,
  validateInteraction,
} from './validate-interaction';
