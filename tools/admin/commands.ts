import type { ApiKey, Organization } from '@delivery/integrations/domain';
import { analyticsCommands } from './analytics-commands';
import { type Command, type Invocation, table, textOf } from './command';
import { reconcileDeliveries } from './deliveries';
import { DeliveryBuckets } from './delivery-buckets';
import { beginEpoch, parseEpochStart } from './epochs';
import { AdminError } from './errors';
import { traceEvent, traceJson, traceText } from './event-trace';
import { createKey, enableKey, listKeys } from './keys';
import { createOrganization, listOrganizations, updateOrganization } from './organizations';
import { reportReconciliation } from './report-reconciliation';
import { withDatabase, withKafka } from './resources';
import { runNow } from './runs';

const NAME = { name: { type: 'string' } } as const;
const GUESTS = { 'exports-guests': { type: 'boolean' }, 'no-exports-guests': { type: 'boolean' } } as const;

export const commands: readonly Command[] = [
  {
    words: 'organization create',
    arguments: ['id'],
    summary: 'make an organization; one that exists stays as it is',
    options: { ...NAME, 'exports-guests': GUESTS['exports-guests'] },
    optionHelp: [
      '--name <text>       its name; the id if not given',
      '--exports-guests    export users without an organization user id too',
    ],
    run: ({ env, given: [id = ''], flags }) =>
      withDatabase(env, async (database) => {
        const name = textOf(flags['name']);
        const outcome = await createOrganization(database, {
          id,
          ...name,
          exportsGuests: flags['exports-guests'] === true,
        });
        return {
          json: { id, outcome },
          text: outcome === 'created' ? `Made organization ${id}.` : `Organization ${id} exists already.`,
        };
      }),
  },
  {
    words: 'organization list',
    arguments: [],
    summary: 'all organizations',
    options: {},
    optionHelp: [],
    run: ({ env }) =>
      withDatabase(env, async (database) => {
        const all = await listOrganizations(database);
        return { json: all.map(shown), text: table(['id', 'name', 'guests', 'created'], all.map(row)) };
      }),
  },
  {
    words: 'organization update',
    arguments: ['id'],
    summary: 'change an organization; guests count from the next planned run on',
    options: { ...NAME, ...GUESTS },
    optionHelp: ['--name <text>', '--exports-guests | --no-exports-guests'],
    run: ({ env, given: [id = ''], flags }) =>
      withDatabase(env, async (database) => {
        const changed = await updateOrganization(database, id, { ...textOf(flags['name']), ...guestsOf(flags) });
        return { json: shown(changed), text: `Changed organization ${id}: exports_guests ${changed.exportsGuests}.` };
      }),
  },
  {
    words: 'key create',
    arguments: ['organization'],
    summary: 'make an API key; its secret is shown this once',
    options: { ...NAME, description: { type: 'string' } },
    optionHelp: ['--name <text>          what it is for', '--description <text>'],
    run: ({ env, given: [organization = ''], flags }) =>
      withDatabase(env, async (database) => {
        const description = typeof flags['description'] === 'string' ? { description: flags['description'] } : {};
        const { id, secret, combined } = await createKey(database, organization, {
          ...textOf(flags['name']),
          ...description,
        });
        return {
          json: { organization_id: organization, id, secret, combined },
          text: [
            `API key of ${organization}; the secret cannot be shown again.`,
            `  id      ${id}`,
            `  secret  ${secret}`,
            `  both    ${combined}    (send as: Authorization: Bearer <both>)`,
          ].join('\n'),
        };
      }),
  },
  {
    words: 'key list',
    arguments: ['organization'],
    summary: 'the API keys of an organization',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = ''] }) =>
      withDatabase(env, async (database) => {
        const keys = await listKeys(database, organization);
        const rows = keys.map(({ id, name, enabled, createdAt }) => [
          id,
          name,
          enabled ? 'enabled' : 'disabled',
          createdAt.toISOString(),
        ]);
        return { json: keys.map(shownKey), text: table(['id', 'name', 'state', 'created'], rows) };
      }),
  },
  enabling('disable', 'no more access tokens for a key; those it has live on until they expire'),
  enabling('enable', 'access tokens for a key again'),
  ...analyticsCommands,
  {
    words: 'run now',
    arguments: ['organization', 'integration'],
    summary: 'deliver the next window of an integration now',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = '', integration = ''] }) =>
      withKafka(env, async (resources) => {
        const run = await runNow(resources, organization, integration);
        return {
          json: { run: run.id, organization_id: organization, export_id: integration },
          text: `Planned run ${run.id}.`,
        };
      }),
  },
  {
    words: 'event trace',
    arguments: ['organization', 'event'],
    summary: 'what became of an event: its place in the log, the runs that have it, their files',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = '', event = ''] }) =>
      withDatabase(env, async (database) => {
        const trace = await traceEvent(database, organization, event);
        return { json: traceJson(trace), text: traceText(trace) };
      }),
  },
  {
    words: 'ingest new-epoch',
    arguments: ['topic', 'partition'],
    summary: 'go on with a partition whose log was lost or replaced, in the log that it has now',
    options: { from: { type: 'string' } },
    optionHelp: [
      '--from earliest|latest|<offset>    where to begin in the log that is there now; asked for when it matters',
    ],
    run: ({ env, given: [topic = '', partition = ''], flags }) =>
      withKafka(env, async (resources) => {
        if (!/^\d{1,6}$/.test(partition))
          throw new AdminError('usage', `"${partition}" is no partition: a number from 0.`);
        const from = typeof flags['from'] === 'string' ? parseEpochStart(flags['from']) : undefined;
        const { epoch, firstOffset } = await beginEpoch(resources, topic, Number(partition), from);
        return {
          json: { topic, partition: Number(partition), epoch, first_offset: String(firstOffset) },
          text: `Partition ${partition} of ${topic} goes on in epoch ${epoch} at offset ${firstOffset}; a running recorder notices within seconds.`,
        };
      }),
  },
  {
    words: 'deliveries reconcile',
    arguments: [],
    summary: 'after a restore: make the database agree with what lies in the buckets, before anything is delivered',
    options: {
      organization: { type: 'string' },
      integration: { type: 'string' },
      copy: { type: 'string' },
      skip: { type: 'string' },
      'dry-run': { type: 'boolean' },
    },
    optionHelp: [
      '--organization <id>    of this organization only; deliveries then go on waiting',
      '--integration <id>     this one only; deliveries then go on waiting',
      '--copy <folder>        manifests and _SUCCESS of buckets that may not be listed, in their folders',
      '--skip <id,...>        integrations whose buckets are not looked at; they may deliver twice',
      '--dry-run              say what would be done',
    ],
    run: ({ env, flags }) =>
      withKafka(env, async (resources) => {
        const buckets = new DeliveryBuckets(env, resources.database);
        const dryRun = flags['dry-run'] === true;
        const { organization, integration, copy, skip } = flags;
        const result = await reconcileDeliveries(
          { ...resources, buckets },
          {
            ...(typeof organization === 'string' ? { organizationId: organization } : {}),
            ...(typeof integration === 'string' ? { integrationId: integration } : {}),
            ...(typeof copy === 'string' ? { copy } : {}),
            skip: typeof skip === 'string' ? skip.split(',') : [],
            dryRun,
          },
        );
        const text = reportReconciliation(result, dryRun);
        if (result.integrations.some(({ outcome }) => outcome === 'failed')) throw new AdminError('refused', text);
        return { json: result, text };
      }),
  },
];

function enabling(word: 'enable' | 'disable', summary: string): Command {
  return {
    words: `key ${word}`,
    arguments: ['organization', 'key'],
    summary,
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = '', id = ''] }) =>
      withDatabase(env, async (database) => {
        const key = await enableKey(database, organization, id, word === 'enable');
        return { json: shownKey(key), text: `Key ${id} is ${key.enabled ? 'enabled' : 'disabled'}.` };
      }),
  };
}

function guestsOf(flags: Invocation['flags']): { exportsGuests?: boolean } {
  const [yes, no] = [flags['exports-guests'] === true, flags['no-exports-guests'] === true];
  if (yes && no) throw new AdminError('usage', 'Give --exports-guests or --no-exports-guests, not both.');
  return yes || no ? { exportsGuests: yes } : {};
}

function shown({ organizationId, name, exportsGuests, createdAt }: Organization) {
  return { id: organizationId, name, exports_guests: exportsGuests, created_at: createdAt };
}

function shownKey({ id, organizationId, name, description, enabled, createdAt }: ApiKey) {
  return { id, organization_id: organizationId, name, description, enabled, created_at: createdAt };
}

function row({ organizationId, name, exportsGuests, createdAt }: Organization): string[] {
  return [organizationId, name, exportsGuests ? 'exported' : 'left out', createdAt.toISOString()];
}
