import { withDatabase } from '../admin';
import { interactionSettings, interactionsOf, publishInteractions, recount } from '../oracle';
import { compareRows, curlLine, downloadReport, interactionsCounted, moveClockPast } from '../world/reports';
import type { Client } from './client';
import type { DemoPlatform } from './run-demo';

export interface DemoReports {
  produced: number;
  counted: number;
  duplicates: number;
  rejected: number;
  analyticsId: string;
  /** One of the commands that were run. */
  curl: string;
  reports: { name: string; files: number; rows: number; wrong: number }[];
}

/** What people do on banners goes in, reports come out: downloaded, and compared with a recount of the log. */
export async function runReports(
  { environment, urls, say }: DemoPlatform,
  client: Client,
  interactions: number,
): Promise<DemoReports> {
  const broker = {
    brokers: (environment['KAFKA_BROKERS'] ?? '').split(','),
    topicPrefix: environment['KAFKA_TOPIC_PREFIX'] ?? '',
  };
  const { analyticsId, key } = await createAnalyticsId(client, urls.api);
  const sent = interactionsOf(client.organization, interactions);
  say(`publishing ${sent.length} interactions`);
  await publishInteractions(broker, sent);
  const expected = await withDatabase(environment, async (database) => {
    await interactionsCounted(database, broker);
    const counts = await recount(broker, client.organization);
    say("moving the clock of the demo's own database to tomorrow, 08:01 UTC, when reports are there");
    await moveClockPast(database, counts.day);
    return counts;
  });
  const reports = [];
  for (const aggregation of ['interaction', 'granular'] as const) {
    const name = `${aggregation}-${expected.day}`;
    const files = await downloadReport({ url: urls.downloads, analyticsId, name, key });
    reports.push({ name, files: files.length, ...compareRows(expected[aggregation], files) });
  }
  const { counted, duplicates, rejected } = expected;
  const curl = curlLine({ url: urls.downloads, analyticsId, name: reports[0]?.name ?? '', key });
  return { produced: sent.length, counted, duplicates, rejected, analyticsId, curl, reports };
}

async function createAnalyticsId(client: Client, api: string): Promise<{ analyticsId: string; key: string }> {
  const wish = { organization_id: client.organization, name: 'demo', settings_ids: interactionSettings };
  const { id } = await client.post<{ id: string }>(`${api}/v1/analytics/ids`, wish);
  const made = await client.post<{ api_key: string }>(`${api}/v1/analytics/ids/${id}/keys`, { name: 'demo' });
  return { analyticsId: id, key: made.api_key };
}
