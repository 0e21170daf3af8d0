import type { Verdict } from './verify-bucket';

/** The verdict for people: the runs, then everything that differs, then one line that says it all. */
export function report(url: string, { verified, runs, differences, notes }: Verdict): string {
  const lines = runs.map(
    ({ run, organization, export: id, files, rows, users, events, bytes }) =>
      `run ${run} of ${organization}/${id}: ${count(files, 'file')}, ${count(rows, 'line')}, ` +
      `${count(users, 'user')}, ${count(events, 'event')}, ${bytes.toLocaleString('en-US')} bytes`,
  );
  for (const { where, what } of notes) lines.push(`note: ${where}: ${what}`);
  for (const { where, what } of differences) lines.push(`differs: ${where === '' ? url : where}: ${what}`);
  lines.push(
    verified
      ? `${url}: verified, ${count(runs.length, 'run')} as their manifests say`
      : `${url}: NOT verified, ${count(differences.length, 'difference')}`,
  );
  return `${lines.join('\n')}\n`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
