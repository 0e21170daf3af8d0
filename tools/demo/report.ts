import type { Platform } from '../services';
import type { DemoResult } from './run-demo';

/** The result as one object, for programs. */
export function summary(result: DemoResult, seconds: number) {
  const sum = (of: (verdict: DemoResult['exports'][number]['verdict']) => number) =>
    result.exports.reduce((total, each) => total + of(each.verdict), 0);
  return {
    organization: result.organization,
    produced: result.produced,
    recorded: result.recorded,
    duplicates: result.duplicates,
    rejected: result.rejected,
    rejectedBecause: result.rejectedBecause,
    expected: sum((v) => v.expected),
    delivered: sum((v) => v.delivered),
    lost: sum((v) => v.lost),
    doubled: sum((v) => v.doubled),
    misrouted: sum((v) => v.misrouted),
    outOfWindow: sum((v) => v.outOfWindow),
    altered: sum((v) => v.altered),
    wrongUsers: sum((v) => v.wrongUsers),
    broken: sum((v) => v.broken),
    verified: result.exports.every((each) => each.verified),
    faults: result.exports.flatMap((each) => each.verdict.faults.map((fault) => ({ export: each.exportId, ...fault }))),
    exports: result.exports.map(({ exportId, kind, url, keys }) => ({ exportId, kind, url, keys })),
    seconds,
    phases: result.seconds,
  };
}

export type Summary = ReturnType<typeof summary>;

/** What is wrong with the counts, a sentence each; empty when all is as it must be. */
export function offCounts(result: Summary): string[] {
  const off: string[] = [];
  for (const name of ['lost', 'doubled', 'misrouted', 'outOfWindow', 'altered', 'wrongUsers', 'broken'] as const) {
    if (result[name] !== 0) off.push(`${name} is ${result[name]}, not 0`);
  }
  if (result.recorded + result.duplicates + result.rejected !== result.produced) {
    off.push(
      `recorded + duplicates + rejected is ${result.recorded + result.duplicates + result.rejected}, not ${result.produced}`,
    );
  }
  if (result.rejected === 0) off.push('nothing was rejected, though poison was sent');
  if (result.delivered !== result.expected || result.delivered === 0)
    off.push(`delivered ${result.delivered} of ${result.expected}`);
  if (!result.verified) off.push('the verifier found differences');
  return off;
}

/** The result for people. */
export function describe(result: DemoResult, counts: Summary, off: readonly string[]): string {
  const lines = [
    '',
    'In',
    `  produced     ${counts.produced} messages (${result.restEvents} of them over REST)`,
    `  recorded     ${counts.recorded}`,
    `  duplicates   ${counts.duplicates}`,
    `  rejected     ${counts.rejected}  ${Object.entries(counts.rejectedBecause)
      .map(([code, count]) => `${code} ${count}`)
      .join(', ')}`,
    'Out, two exports together',
    `  delivered    ${counts.delivered} of ${counts.expected} events`,
    `  lost ${counts.lost}  doubled ${counts.doubled}  misrouted ${counts.misrouted}  out of window ${counts.outOfWindow}  altered ${counts.altered}  wrong users ${counts.wrongUsers}`,
    '',
    ...result.exports.flatMap((each) => [each.url, ...tree(each.keys), '']),
    'One delivered line',
    `  ${result.exports[0]?.sampleLine ?? ''}`,
    '',
    'The verifier says',
    ...result.exports.map((each) => indent(each.report)),
    '',
    `Seconds: ${Object.entries(counts.phases)
      .map(([phase, seconds]) => `${phase} ${seconds}`)
      .join(', ')}; all ${counts.seconds}`,
    ...off.map((line) => `OFF: ${line}`),
    ...counts.faults.slice(0, 20).map((fault) => `  ${fault.export} ${fault.kind}: ${fault.what}`),
  ];
  return lines.join('\n');
}

/** Commands to go on with while the services run. */
export function furtherSteps(result: DemoResult, platform: Platform): string {
  const api = platform.supervisor.urlOf('integrations-api');
  const ingest = platform.supervisor.urlOf('consent-ingest');
  const organization = `organization_id=${result.organization}`;
  return [
    'Go on with',
    `  TOKEN=$(curl -s ${api}/v1/sessions -H 'content-type: application/json' -d '{"type":"api-key","key":"${result.key.id}","secret":"${result.key.secret}"}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl -H "authorization: Bearer $TOKEN" '${ingest}/v1/consents/users?${organization}&$limit=1'`,
    `  curl -H "authorization: Bearer $TOKEN" '${api}/v1/marketplace/integrations?${organization}'`,
    `  curl -H "authorization: Bearer $TOKEN" '${api}/v1/marketplace/exports/logs?${organization}'`,
    `  API references: ${api}/docs and ${ingest}/docs`,
    '  Stop everything: npm run stack -- down',
  ].join('\n');
}

function tree(keys: readonly string[]): string[] {
  return keys.map((key) => `  ${key}`);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
