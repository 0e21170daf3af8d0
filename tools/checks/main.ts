import { checkAliases } from './check-aliases';
import { checkApps } from './check-apps';
import { checkFormat } from './check-format';
import { checkLinks } from './check-links';
import { checkMonitoring } from './check-monitoring';
import { checkProjects } from './check-projects';
import type { Check } from './workspace';

/** `npm run checks`: what must be true of the workspace's own shape. Exit code 1 and one line per fault if it is not. */
const checks: Record<string, Check> = {
  'projects are tagged and named': checkProjects,
  'aliases match the libraries': checkAliases,
  'apps have the same shape': checkApps,
  'documents link to what exists': checkLinks,
  'alerts and dashboards ask for what there is, and have a runbook': checkMonitoring,
  'files are formatted': checkFormat,
};

const root = process.cwd();
for (const [name, check] of Object.entries(checks)) {
  const faults = check(root);
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'}  ${name}`);
  for (const fault of faults) console.log(`        ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
