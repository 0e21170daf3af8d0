import {
  type Aggregation,
  AGGREGATIONS,
  type AnalyticsId,
  type AnalyticsKey,
  FREQUENCIES,
  type Frequency,
} from '@delivery/analytics/domain';
import {
  createAnalyticsId,
  createAnalyticsKey,
  deleteAnalyticsKey,
  enableAnalyticsKey,
  listAnalyticsIds,
  listAnalyticsKeys,
  updateAnalyticsId,
} from './analytics';
import { type Command, type Invocation, table, textOf } from './command';
import { AdminError } from './errors';
import { withDatabase } from './resources';

const WHICH = {
  name: { type: 'string' },
  frequencies: { type: 'string' },
  aggregations: { type: 'string' },
} as const;
const WHICH_HELP = [
  '--name <text>             what it is for',
  `--frequencies <a,b>       of ${FREQUENCIES.join(', ')}; all if not given`,
  `--aggregations <a,b>      of ${AGGREGATIONS.join(', ')}; all if not given`,
];
const SETTINGS = { settings: { type: 'string' } } as const;
const SETTINGS_HELP = '--settings <id,...>       the settings whose interactions are reported';
const REQUIRED = '; required';

/** What reports are made of, and who may download them. */
export const analyticsCommands: readonly Command[] = [
  {
    words: 'analytics create',
    arguments: ['organization'],
    summary: 'make an analytics id: settings whose reports are made and downloaded together',
    options: { ...WHICH, ...SETTINGS, id: { type: 'string' }, 'reports-from': { type: 'string' } },
    optionHelp: [
      SETTINGS_HELP + REQUIRED,
      '--id <id>                 its id; made if not given',
      ...WHICH_HELP,
      '--reports-from <day>      periods that end before it have no report; today if not given',
    ],
    run: ({ env, given: [organization = ''], flags }) =>
      withDatabase(env, async (database) => {
        const { id, settings, 'reports-from': reportsFrom } = texts(flags);
        const wish = {
          ...textOf(flags['name']),
          ...whichOf(flags),
          id,
          reportsFrom,
          settingsIds: listOf(settings) ?? [],
        };
        const made = await createAnalyticsId(database, organization, wish);
        return { json: shown(made), text: `Made analytics id ${made.id}: reports from ${made.reportsFrom} on.` };
      }),
  },
  {
    words: 'analytics list',
    arguments: ['organization'],
    summary: 'the analytics ids of an organization',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = ''] }) =>
      withDatabase(env, async (database) => {
        const all = await listAnalyticsIds(database, organization);
        const head = ['id', 'name', 'state', 'from', 'frequencies', 'aggregations', 'settings'];
        return { json: all.map(shown), text: table(head, all.map(row)) };
      }),
  },
  {
    words: 'analytics update',
    arguments: ['organization', 'id'],
    summary: 'change an analytics id; counts for reports that are planned from now on',
    options: { ...WHICH, ...SETTINGS, enable: { type: 'boolean' }, disable: { type: 'boolean' } },
    optionHelp: [
      ...[SETTINGS_HELP, ...WHICH_HELP].map((line) => line.replace('; all if not given', '')),
      '--enable | --disable      while disabled no reports are made, and none can be downloaded',
    ],
    run: ({ env, given: [organization = '', id = ''], flags }) =>
      withDatabase(env, async (database) => {
        const settingsIds = listOf(texts(flags)['settings']);
        const changes = {
          ...textOf(flags['name']),
          ...whichOf(flags),
          ...(settingsIds && { settingsIds }),
          ...enablingOf(flags),
        };
        if (Object.keys(changes).length === 0) {
          throw new AdminError('usage', 'Say what to change: see npm run admin -- analytics update --help.');
        }
        const changed = await updateAnalyticsId(database, organization, id, changes);
        return { json: shown(changed), text: `Changed analytics id ${id}: ${row(changed).slice(2).join('  ')}` };
      }),
  },
  {
    words: 'analytics key create',
    arguments: ['organization', 'analytics-id'],
    summary: 'make a key that downloads reports of an analytics id; it is shown this once',
    options: WHICH,
    optionHelp: WHICH_HELP,
    run: ({ env, given: [organization = '', analyticsId = ''], flags }) =>
      withDatabase(env, async (database) => {
        const wish = { ...textOf(flags['name']), ...whichOf(flags) };
        const { id, combined } = await createAnalyticsKey(database, organization, analyticsId, wish);
        return {
          json: { organization_id: organization, analytics_id: analyticsId, id, api_key: combined },
          text: [
            `Key of analytics id ${analyticsId}; it cannot be shown again.`,
            `  id   ${id}`,
            `  key  ${combined}    (send as: x-api-key: <key>)`,
          ].join('\n'),
        };
      }),
  },
  {
    words: 'analytics key list',
    arguments: ['organization', 'analytics-id'],
    summary: 'the keys of an analytics id',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organization = '', analyticsId = ''] }) =>
      withDatabase(env, async (database) => {
        const keys = await listAnalyticsKeys(database, organization, analyticsId);
        const rows = keys.map((key) => [
          ...[key.id, key.name, key.enabled ? 'enabled' : 'disabled'],
          ...[key.frequencies?.join(',') ?? 'all', key.aggregations?.join(',') ?? 'all', key.createdAt.toISOString()],
        ]);
        const head = ['id', 'name', 'state', 'frequencies', 'aggregations', 'created'];
        return { json: keys.map(shownKey), text: table(head, rows) };
      }),
  },
  enabling('disable', 'a key opens nothing any more; links that it has got live on for their 15 minutes'),
  enabling('enable', 'a key opens reports again'),
  {
    words: 'analytics key delete',
    arguments: ['organization', 'analytics-id', 'key'],
    summary: 'remove a key for ever; what it did stays in the access log',
    options: {},
    optionHelp: [],
    run: ({ env, given: [organizationId = '', analyticsId = '', id = ''] }) =>
      withDatabase(env, async (database) => {
        await deleteAnalyticsKey(database, { organizationId, analyticsId, id });
        return { json: { id, deleted: true }, text: `Key ${id} is deleted.` };
      }),
  },
];

function enabling(word: 'enable' | 'disable', summary: string): Command {
  return {
    words: `analytics key ${word}`,
    arguments: ['organization', 'analytics-id', 'key'],
    summary,
    options: {},
    optionHelp: [],
    run: ({ env, given: [organizationId = '', analyticsId = '', id = ''] }) =>
      withDatabase(env, async (database) => {
        const key = await enableAnalyticsKey(database, { organizationId, analyticsId, id }, word === 'enable');
        return { json: shownKey(key), text: `Key ${id} is ${key.enabled ? 'enabled' : 'disabled'}.` };
      }),
  };
}

function texts(flags: Invocation['flags']): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(flags).filter((each): each is [string, string] => typeof each[1] === 'string'),
  );
}

function listOf(text: string | undefined): string[] | undefined {
  return text === undefined
    ? undefined
    : [...new Set(text.split(',').map((each) => each.trim()))].filter((each) => each !== '');
}

/** @throws AdminError `usage` for a word that is none of them */
function whichOf(flags: Invocation['flags']): { frequencies?: Frequency[]; aggregations?: Aggregation[] } {
  const frequencies = wordsOf('frequencies', FREQUENCIES, flags);
  const aggregations = wordsOf('aggregations', AGGREGATIONS, flags);
  return { ...(frequencies && { frequencies }), ...(aggregations && { aggregations }) };
}

function wordsOf<T extends string>(name: string, all: readonly T[], flags: Invocation['flags']): T[] | undefined {
  const given = listOf(texts(flags)[name]);
  if (given === undefined) return undefined;
  const found = all.filter((each) => given.includes(each));
  if (found.length > 0 && found.length === given.length) return found;
  throw new AdminError('usage', `--${name} takes some of ${all.join(', ')}, with commas between them.`);
}

function enablingOf(flags: Invocation['flags']): { enabled?: boolean } {
  const [yes, no] = [flags['enable'] === true, flags['disable'] === true];
  if (yes && no) throw new AdminError('usage', 'Give --enable or --disable, not both.');
  return yes || no ? { enabled: yes } : {};
}

function shown(id: AnalyticsId) {
  return {
    id: id.id,
    organization_id: id.organizationId,
    name: id.name,
    settings_ids: id.settingsIds,
    frequencies: id.frequencies,
    aggregations: id.aggregations,
    reports_from: id.reportsFrom,
    enabled: id.enabled,
    created_at: id.createdAt,
  };
}

function shownKey(key: AnalyticsKey) {
  return {
    id: key.id,
    organization_id: key.organizationId,
    analytics_id: key.analyticsId,
    name: key.name,
    frequencies: key.frequencies ?? null,
    aggregations: key.aggregations ?? null,
    enabled: key.enabled,
    created_at: key.createdAt,
  };
}

function row({ id, name, enabled, reportsFrom, frequencies, aggregations, settingsIds }: AnalyticsId): string[] {
  return [
    ...[id, name, enabled ? 'enabled' : 'disabled', reportsFrom],
    ...[frequencies.join(','), aggregations.join(','), settingsIds.join(',')],
  ];
}
