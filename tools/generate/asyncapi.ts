import { interactionsRejectedTopic, interactionsTopic, reportsRequestedTopic } from '@delivery/analytics/schema';
import { consentEventsRejectedTopic, consentEventsTopic } from '@delivery/consent/schema';
import { runChangedTopic, runRequestedTopics } from '@delivery/exports/schema';
import { stringify } from 'yaml';

import { type GeneratedFile, referenceFolder } from './generator';
import { schemaFiles } from './json-schemas';

const text = { type: 'string' } as const;

/** Header values are UTF-8 texts. */
const rejectedHeaders = {
  type: 'object',
  required: [
    'rejected-topic',
    'rejected-partition',
    'rejected-epoch',
    'rejected-offset',
    'rejected-at',
    'rejected-reasons',
  ],
  properties: {
    'rejected-topic': { ...text, description: 'Topic the message was read from.' },
    'rejected-partition': { ...text, pattern: '^[0-9]+$', description: 'Its partition.' },
    'rejected-epoch': {
      ...text,
      pattern: '^[0-9]+$',
      description: 'Which log of that name: grows when it is replaced.',
    },
    'rejected-offset': {
      ...text,
      pattern: '^[0-9]+$',
      description: 'Its offset. With topic, partition and epoch it identifies the message: a copy may come twice.',
    },
    'rejected-at': { ...text, format: 'date-time', description: 'When the message arrived in the log.' },
    'rejected-reasons': {
      ...text,
      contentMediaType: 'application/json',
      description:
        'JSON: a list of {field, code, message}, at most 8 kB of it; the whole list is in the table ingest_rejection.',
    },
    'rejected-truncated': {
      ...text,
      pattern: '^[0-9]+$',
      description:
        'Only where the copy was too large and is cut: bytes of key and value as they came. The whole is in ingest_rejection.',
    },
  },
} as const;

const servers = {
  local: { host: '127.0.0.1:19092', protocol: 'kafka', description: 'The local stack of npm start.' },
};

/** A message whose value is described by one of the published schemas. */
function jsonMessage(name: string, title: string, summary: string, schema: string, key: string) {
  return {
    name,
    title,
    summary,
    contentType: 'application/json',
    payload: { $ref: `./${schema}` },
    bindings: { kafka: { key: { type: 'string', description: key } } },
  };
}

/** A copy of a message that was not recorded. */
function rejectedMessage(name: string, title: string) {
  return {
    name,
    title,
    summary: 'The key and value as they were sent, whatever they were.',
    contentType: 'application/octet-stream',
    headers: rejectedHeaders,
    payload: { type: 'string', format: 'binary' },
  };
}

const messages = {
  consentEvent: jsonMessage(
    'consentEvent',
    'Consent event',
    'One choice of one user at one time. At most 1 MiB of UTF-8.',
    schemaFiles.consentEvent,
    '`organization_id:user`. Only for locality: it is never read. All of a user in one partition keeps them in order.',
  ),
  rejectedConsentEvent: rejectedMessage('rejectedConsentEvent', 'Rejected consent event'),
  interaction: jsonMessage(
    'interaction',
    'Interaction',
    'What somebody did on a consent banner, a page view, a session or a decision. At most 1 MiB of UTF-8.',
    schemaFiles.interaction,
    '`organization_id:device`. Only for locality: it is never read. All of a device in one partition keeps them in order.',
  ),
  rejectedInteraction: rejectedMessage('rejectedInteraction', 'Rejected interaction'),
  runRequested: jsonMessage(
    'runRequested',
    'Run requested',
    'A nudge: look for runs that can be claimed. Losing one delays a run, repeating one changes nothing.',
    schemaFiles.runRequested,
    'The id of the run.',
  ),
  runChanged: jsonMessage(
    'runChanged',
    'Run changed',
    'The state of a run after a change.',
    schemaFiles.runChanged,
    '`organization_id:export_id`: the changes of one integration are in order.',
  ),
  reportsRequested: jsonMessage(
    'reportsRequested',
    'Reports requested',
    'A nudge: look for reports that can be made. Losing one delays a report, repeating one changes nothing.',
    schemaFiles.reportsRequested,
    '`analytics_id:prefix`.',
  ),
};

/** A channel that carries one message. */
function channel(address: string, message: keyof typeof messages, title: string, description: string) {
  const name = messages[message].name;
  return {
    address,
    title,
    description,
    servers: [{ $ref: '#/servers/local' }],
    messages: { [name]: { $ref: `#/components/messages/${message}` } },
    bindings: { kafka: { topicConfiguration: { 'cleanup.policy': ['delete'] } } },
  };
}

const channels = {
  consentEvents: channel(
    consentEventsTopic,
    'consentEvent',
    'Consent events',
    'Public. Any producer that the operator trusts for all organizations may publish here; the ACL of the topic is the ' +
      'only check of who it is. Every message is validated by the recorder and ends as recorded, duplicate or rejected.',
  ),
  consentEventsRejected: channel(
    consentEventsRejectedTopic,
    'rejectedConsentEvent',
    'Rejected consent events',
    'Copies of messages that were not recorded, with the reasons. Each at least once; kept for 30 days.',
  ),
  interactions: channel(
    interactionsTopic,
    'interaction',
    'Interactions',
    'Public, under the same terms. Every message is validated by the aggregator and ends as counted, duplicate (of an ' +
      'id in the 24 hours before) or rejected. Its hour and day are those of its arrival.',
  ),
  interactionsRejected: channel(
    interactionsRejectedTopic,
    'rejectedInteraction',
    'Rejected interactions',
    'Copies of messages that were not counted, with the reasons. Each at least once; kept for 30 days.',
  ),
  runsRequestedS3: channel(
    runRequestedTopics.s3,
    'runRequested',
    'Runs to deliver to S3',
    'Internal, between the services.',
  ),
  runsRequestedGcs: channel(
    runRequestedTopics.gcs,
    'runRequested',
    'Runs to deliver to Cloud Storage',
    'Internal, between the services.',
  ),
  runsChanged: channel(
    runChangedTopic,
    'runChanged',
    'Changes of runs',
    'For whoever tells people about their exports.',
  ),
  reportsRequested: channel(
    reportsRequestedTopic,
    'reportsRequested',
    'Reports to make',
    'Internal, between the services.',
  ),
};

function operation(action: 'send' | 'receive', name: keyof typeof channels, summary: string) {
  return { action, channel: { $ref: `#/channels/${name}` }, summary };
}

const document = {
  asyncapi: '3.0.0',
  info: {
    title: 'Consent delivery: topics',
    version: '1',
    description:
      'What the platform reads from and writes to Kafka, seen from the platform: it receives what you publish. Topic ' +
      'names may have a prefix (KAFKA_TOPIC_PREFIX). Fields may be added within a version; anything else is a new topic.',
    license: { name: 'Apache-2.0' },
  },
  defaultContentType: 'application/json',
  servers,
  channels,
  operations: {
    recordConsentEvents: operation('receive', 'consentEvents', 'Record each event exactly once.'),
    publishAcceptedEvents: operation('send', 'consentEvents', 'Events that were accepted over REST.'),
    publishRejections: operation('send', 'consentEventsRejected', 'Tell what was not recorded, and why.'),
    countInteractions: operation('receive', 'interactions', 'Count each interaction exactly once.'),
    publishAcceptedInteractions: operation('send', 'interactions', 'Interactions that were accepted over REST.'),
    publishRejectedInteractions: operation('send', 'interactionsRejected', 'Tell what was not counted, and why.'),
    requestS3Run: operation('send', 'runsRequestedS3', 'Nudge the exporters.'),
    deliverS3Run: operation('receive', 'runsRequestedS3', 'Claim a run and deliver it.'),
    requestGcsRun: operation('send', 'runsRequestedGcs', 'Nudge the exporters.'),
    deliverGcsRun: operation('receive', 'runsRequestedGcs', 'Claim a run and deliver it.'),
    requestReport: operation('send', 'reportsRequested', 'Nudge the writers of reports.'),
    makeReport: operation('receive', 'reportsRequested', 'Claim a report and write it.'),
    announceRun: operation('send', 'runsChanged', 'Announce what became of a run.'),
  },
  components: { messages },
};

/** The topics as AsyncAPI 3.0. */
export function generateAsyncApi(): GeneratedFile[] {
  const yaml = stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
  const note = '# Generated from the code by npm run generate.\n';
  return [{ path: `${referenceFolder}/asyncapi.yaml`, text: note + yaml }];
}
