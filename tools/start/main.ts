import { ConfigError } from '@delivery/platform/config';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  Interrupted,
  isPortFree,
  type PreparedPlatform,
  preparePlatform,
  ServicesError,
  services,
  stopSignal,
  Supervisor,
  untilStopped,
} from '../services';
import { stackDir, StackError } from '../stack';
import { curlLine } from '../world/reports';
import { demoOrganization, type OrganizationKey } from './demo-organization';

const help = `Runs all services and the local stack until Ctrl-C, and shows where they are, with a key to use them.

  npm start

  ${services.map(({ name, port, does }) => `http://127.0.0.1:${port}  ${name.padEnd(22)}${does}`).join('\n  ')}

Services that crash are started again, after a pause that doubles with each crash. Their logs: .stack/logs/<service>.log.
The stack is stopped too, unless it was running before. One service alone, restarted when its code changes:
npx nx serve <service>.
`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(help);
  if (args.length > 0) throw new ServicesError('bad_config', `Unknown argument ${args.join(' ')}.\n\n${help}`);
  const stopped = stopSignal();
  const platform = await preparePlatform(say, { check: assertPortsFree });
  const supervisor = new Supervisor({
    environment: { ...platform.environment, LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info' },
    logs: join(stackDir(), 'logs'),
    say,
    onChange: (running) => platform.registry.note(running),
  });
  try {
    const key = await demoOrganization(platform.environment);
    await untilStopped(stopped, supervisor.start(new Map(services.map(({ name, port }) => [name, port]))));
    say(overview(key, platform));
    await once(stopped, 'abort');
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    say('stopping ...');
    await supervisor.stop();
    await platform.stopStack();
  }
}

async function assertPortsFree(): Promise<void> {
  const free = await Promise.all(services.map(({ port }) => isPortFree(port)));
  const taken = services.filter((_, n) => !free[n]).map(({ name, port }) => `${port} (${name})`);
  if (taken.length === 0) return;
  throw new ServicesError(
    'port_taken',
    `Other programs listen on the ports of the services: ${taken.join(', ')}. Stop them (ss -ltnp shows which they are).`,
  );
}

function overview({ organization, id, secret, reports }: OrganizationKey, { environment }: PreparedPlatform): string {
  const at = (name: string) => `http://127.0.0.1:${services.find((service) => service.name === name)?.port}`;
  const table: [string, string, string][] = [
    ...services.map(({ name, does }): [string, string, string] => [name, at(name), does]),
    ['Kafka', environment['KAFKA_BROKERS'] ?? '', 'publish to consent.events.v1 and consent.interactions.v1'],
    ['PostgreSQL', new URL(environment['DATABASE_URL'] ?? '').host, 'npm run stack -- env prints the whole URL'],
    ['S3, STS, IAM', environment['S3_ENDPOINT'] ?? '', 'keys local / local'],
    ['GCS', environment['GCS_ENDPOINT'] ?? '', 'no authentication'],
  ];
  const body = JSON.stringify({ type: 'api-key', key: id, secret });
  const event =
    '{"user":{"organization_user_id":"me@example.com"},"consents":{"purposes":[{"id":"cookies","enabled":true}]}}';
  const shown = JSON.stringify({ type: 'CMP_SHOWN', settings_id: reports.settingsId, device_id: 'device-1' });
  const report = { ...reports, url: at('download-gateway'), name: `interaction-${reports.day}` };
  return [
    '',
    ...table.map(([name, url, does]) => `  ${name.padEnd(22)}${url.padEnd(28)}${does}`),
    '',
    `  Organization  ${organization}`,
    `  API key       ${id}`,
    `  Secret        ${secret}   (shown once; each start makes a new one)`,
    `  Analytics id  ${reports.analyticsId}, of the settings "${reports.settingsId}"`,
    `  Download key  ${reports.key}`,
    '',
    '  Try it:',
    `    TOKEN=$(curl -s ${at('integrations-api')}/v1/sessions -H 'content-type: application/json' -d '${body}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `    curl -s ${at('consent-ingest')}/v1/consents/events -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '${event}'`,
    `    curl -s ${at('consent-ingest')}/v1/consents/interactions -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '${shown}'`,
    `    curl -s ${at('integrations-api')}/v1/marketplace/exports/logs -H "authorization: Bearer $TOKEN"`,
    `    ${curlLine(report)}`,
    `      (a report of ${reports.day}, there within a minute; what is counted today is in that of tomorrow, 08:00 UTC)`,
    '',
    '  Ctrl-C stops everything.',
  ].join('\n');
}

main(process.argv.slice(2))
  .then(() => process.exit())
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(exitCodeOf(error));
  });

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return error.exitCode;
  return error instanceof StackError && error.code === 'tools_missing' ? 78 : 1;
}
