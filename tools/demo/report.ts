import type { FoundObject, Verdict } from '../oracle';
import type { DemoPlatform, DemoResult } from './run-demo';

const faultCounts = ['lost', 'doubled', 'misrouted', 'outOfWindow', 'altered', 'wrongUsers', 'broken'] as const;
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** The result as one object, for programs. Faults are summed over both exports; each delivered all that is `delivered`. */
export function summarize(result: DemoResult, seconds: number) {
  const verdicts = result.deliveries.map(({ verdict }) => verdict);
  const total = (of: (verdict: Verdict) => number) => sum(verdicts.map(of));
  return {
    organization: result.organization,
    produced: result.produced,
    recorded: result.recorded,
    duplicates: result.duplicates,
    rejected: result.rejected,
    rejectedBecause: result.rejectedBecause,
    delivered: Math.min(...verdicts.map(({ delivered }) => delivered)),
    withheld: verdicts[0]?.withheld ?? { pending: 0, otherRegulation: 0, guests: 0 },
    users: Math.min(...verdicts.map(({ users }) => users)),
    lost: total(({ lost }) => lost),
    doubled: total(({ doubled }) => doubled),
    misrouted: total(({ misrouted }) => misrouted),
    outOfWindow: total(({ outOfWindow }) => outOfWindow),
    altered: total(({ altered }) => altered),
    wrongUsers: total(({ wrongUsers }) => wrongUsers),
    broken: total(({ broken }) => broken),
    verified: result.deliveries.every(({ verified }) => verified),
    exports: result.deliveries.map(({ exportId, kind, url, objects, verdict, verified }) => ({
      exportId,
      kind,
      url,
      files: objects.filter(({ key }) => key.endsWith('.json.gz')).length,
      bytes: sum(objects.map(({ bytes }) => bytes)),
      delivered: verdict.delivered,
      users: verdict.users,
      verified,
      faults: verdict.faults,
    })),
    analytics: {
      produced: result.analytics.produced,
      counted: result.analytics.counted,
      duplicates: result.analytics.duplicates,
      rejected: result.analytics.rejected,
      reports: result.analytics.reports,
    },
    phases: result.phases,
    seconds: Number(seconds.toFixed(1)),
  };
}

export type Summary = ReturnType<typeof summarize>;

/** What is wrong with the counts, a sentence each; empty when all is as it must be. */
export function offCounts(summary: Summary): string[] {
  const off: string[] = [];
  for (const name of faultCounts) if (summary[name] !== 0) off.push(`${name} is ${summary[name]}, not 0`);
  const { produced, recorded, duplicates, rejected, rejectedBecause, delivered, withheld } = summary;
  if (recorded + duplicates + rejected !== produced) {
    off.push(
      `recorded, duplicates and rejected are ${recorded + duplicates + rejected} together, not the ${produced} produced`,
    );
  }
  const told = sum(Object.values(rejectedBecause));
  if (told !== rejected || rejected === 0)
    off.push(`${rejected} were rejected, and ${told} reached the rejected topic`);
  const kept = withheld.pending + withheld.otherRegulation + withheld.guests;
  for (const each of summary.exports) {
    if (each.delivered + kept === recorded && delivered > 0) continue;
    off.push(`${each.kind}: ${each.delivered} delivered and ${kept} withheld are not the ${recorded} recorded`);
  }
  if (!summary.verified) off.push('the verifier found differences');
  for (const { name, rows, wrong } of summary.analytics.reports) {
    if (wrong > 0 || rows === 0) off.push(`report ${name}: ${wrong} of ${rows} rows differ from the recount`);
  }
  return off;
}

/** The result for people. */
export function describe(result: DemoResult, summary: Summary, off: readonly string[]): string {
  const { withheld } = summary;
  const reasons = Object.entries(summary.rejectedBecause).map(([code, count]) => `${code} ${count}`);
  const faults = summary.exports.flatMap(({ kind, faults: found }) =>
    found.map((each) => `${kind} ${each.kind}: ${each.what}`),
  );
  const sample = result.deliveries[0]?.sample;
  return [
    '',
    'In',
    row('produced', summary.produced, `messages, ${result.restEvents} of them over REST`),
    row('recorded', summary.recorded, 'events'),
    row('duplicates', summary.duplicates, 'sent again with the same id'),
    row('rejected', summary.rejected, reasons.join(', ')),
    '',
    'Out, to each of the two buckets',
    row('delivered', summary.delivered, `events of ${summary.users} users`),
    row('withheld', withheld.pending + withheld.otherRegulation + withheld.guests, describeWithheld(withheld)),
    ...faultCounts.map((name) => row(words[name], summary[name], '')),
    '',
    ...result.deliveries.flatMap(({ bucketUrl, objects }) => [bucketUrl, ...tree(objects), '']),
    'One delivered line',
    `  ${JSON.stringify(sample)}`,
    '',
    'The verifier',
    ...result.deliveries.map(({ report }) => indent(report)),
    '',
    'Reports',
    row('interactions', summary.analytics.produced, 'from another producer'),
    row('counted', summary.analytics.counted, ''),
    row('duplicates', summary.analytics.duplicates, 'sent again with the same id'),
    row('rejected', summary.analytics.rejected, 'not JSON, or of no organization'),
    ...summary.analytics.reports.map(({ name, files, rows, wrong }) =>
      row(name, rows, `rows in ${files} file, ${wrong} of them other than recounted`),
    ),
    indent(result.analytics.curl),
    '',
    `Seconds: ${Object.entries(summary.phases)
      .map(([phase, seconds]) => `${phase} ${seconds}`)
      .join(', ')}; everything ${summary.seconds}`,
    '',
    ...(off.length === 0 ? ['Every count is as it must be.'] : ['OFF', ...off.map(indent), ...faults.map(indent)]),
    '',
  ].join('\n');
}

const words: Record<(typeof faultCounts)[number], string> = {
  lost: 'lost',
  doubled: 'doubled',
  misrouted: 'misrouted',
  outOfWindow: 'out of window',
  altered: 'altered',
  wrongUsers: 'wrong users',
  broken: 'broken',
};

function describeWithheld({ pending, otherRegulation, guests }: Summary['withheld']): string {
  return `events: pending ${pending}, of another regulation ${otherRegulation}, of guests ${guests}`;
}

function row(name: string, count: number, what: string): string {
  return `  ${name.padEnd(14)}${String(count).padStart(7)}  ${what}`.trimEnd();
}

/** Folders once, files below them with their sizes. */
function tree(objects: readonly FoundObject[]): string[] {
  const lines: string[] = [];
  let shown: string[] = [];
  for (const { key, bytes } of objects.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const folders = key.split('/').slice(0, -1);
    folders.forEach((folder, depth) => {
      if (folders.slice(0, depth + 1).join('/') === shown.slice(0, depth + 1).join('/')) return;
      lines.push(`${'  '.repeat(depth + 1)}${folder}/`);
    });
    shown = folders;
    lines.push(
      `${'  '.repeat(folders.length + 1)}${key.slice(key.lastIndexOf('/') + 1)}  ${bytes.toLocaleString('en-US')} bytes`,
    );
  }
  return lines;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** Commands to go on with. */
export function furtherSteps(
  result: DemoResult,
  { api, ingest, downloads }: DemoPlatform['urls'],
  kept: boolean,
): string {
  const of = `organization_id=${result.organization}`;
  const body = JSON.stringify({ type: 'api-key', key: result.key.id, secret: result.key.secret });
  const event =
    '{"user":{"organization_user_id":"me@example.com"},"consents":{"purposes":[{"id":"cookies","enabled":true}]}}';
  const json = "-H 'content-type: application/json'";
  const exportId = result.deliveries[0]?.exportId ?? '';
  return [
    kept
      ? 'Everything goes on running; npm run stack -- down ends it. Go on with'
      : 'With --keep everything goes on running, for',
    `  TOKEN=$(curl -s ${api}/v1/sessions ${json} -d '${body}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl -s -H "authorization: Bearer $TOKEN" ${json} '${ingest}/v1/consents/events?${of}' -d '${event}'`,
    `  curl -s -H "authorization: Bearer $TOKEN" '${ingest}/v1/consents/users?${of}&organization_user_id=me@example.com'`,
    `  curl -s -H "authorization: Bearer $TOKEN" ${json} '${api}/v1/exports/execute?${of}' -d '{"export_id":"${exportId}"}'`,
    `  curl -s -H "authorization: Bearer $TOKEN" '${api}/v1/marketplace/exports/logs?${of}'`,
    `  API references: ${api}/docs, ${ingest}/docs and ${downloads}/docs`,
  ].join('\n');
}
