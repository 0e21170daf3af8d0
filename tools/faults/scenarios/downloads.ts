import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reportFolder, shardFile } from '@delivery/analytics/domain';
import { DownloadAccessStore } from '@delivery/analytics/store';
import { waitFor } from '@delivery/platform/testing';
import type { Customer } from '../../world';
import type { Member } from '../member';
import type { Stage } from '../stage';

const name = 'interaction-2026-01-05';
/** More than what all buffers between a gateway and a client that does not read can hold. */
const bytes = 64 * 1024 * 1024;
const pauseMs = 400;

/** One large report that is there from the start, asked for whatever happens, and a ledger of what was asked. */
export class Downloads {
  private linked = 0;
  private cut = 0;
  private whole = 0;

  private constructor(
    private readonly stage: Stage,
    private readonly organizationId: string,
    private readonly analyticsId: string,
    private readonly key: string,
  ) {}

  /** @param folder the report store */
  static async open(stage: Stage, customer: Customer, folder: string): Promise<Downloads> {
    const wish = { name: 'large', settings_ids: ['large'] };
    const analyticsId = String((await customer.send('POST', '/v1/analytics/ids', wish)).body['id']);
    const made = await customer.send('POST', `/v1/analytics/ids/${analyticsId}/keys`, { name: 'large' });
    const content = Buffer.alloc(bytes, 'x');
    const file = join(folder, reportFolder(customer.id, analyticsId), shardFile(name, 0));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    const shards = [{ bytes, rows: 1, sha256: createHash('sha256').update(content).digest('hex') }];
    await stage.world.database.query(
      `INSERT INTO analytics_report (organization_id, analytics_id, prefix, aggregation, frequency, first_day, last_day,
         settings_ids, rows_per_shard, escape_formulas, planned_at, status, shards, published_at)
       VALUES ($1, $2, $3, 'interaction', 'daily', '2026-01-05', '2026-01-05', '{large}', 1, false, now(), 'published', $4,
         now())`,
      [customer.id, analyticsId, name, JSON.stringify(shards)],
    );
    return new Downloads(stage, customer.id, analyticsId, String(made.body['api_key']));
  }

  /** For so long, each gateway is asked all the time, and answers nothing else. */
  async during(seconds: number, gateways: readonly Member[], expected: 200 | 503): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      for (const gateway of gateways) {
        const answer = await this.ask(gateway);
        this.stage.did(`links answered ${answer.status}`);
        const told = expected === 200 || Number(answer.headers.get('retry-after')) > 0;
        this.stage.expect(
          answer.status === expected && told,
          `a gateway answered ${answer.status} (Retry-After: ${answer.headers.get('retry-after')}), not ${expected}`,
        );
      }
      await delay(pauseMs);
    }
  }

  /** Links are given again, without anybody's help. */
  async recover(gateways: readonly Member[]): Promise<void> {
    for (const gateway of gateways) {
      await waitFor(async () => (await this.ask(gateway)).status === 200, {
        describe: 'a gateway to give links again',
        timeoutMs: 60_000,
      });
    }
  }

  /** A client holds a download, and the gateway is killed meanwhile. */
  async cutOff(gateway: Member): Promise<void> {
    const answer = await this.begin(gateway);
    await gateway.kill();
    let taken = 0;
    try {
      for await (const chunk of answer) taken += Buffer.from(chunk).length;
    } catch {
      // A connection that ends early, which is what it is about.
    }
    this.cut += 1;
    this.stage.did('downloads cut');
    this.stage.expect(!answer.complete && taken < bytes, `a download that was cut off had ${taken} of ${bytes} bytes`);
  }

  /** All of it, from a gateway that lives. */
  async complete(gateway: Member): Promise<void> {
    let taken = 0;
    for await (const chunk of await this.begin(gateway)) taken += Buffer.from(chunk).length;
    this.whole += 1;
    this.stage.did('large downloads');
    this.stage.expect(taken === bytes, `a download had ${taken} of ${bytes} bytes`);
  }

  /** The access log has each request that was answered with links, and each download, once, with its end if it had one. */
  async compareLog(): Promise<void> {
    const expected = { links: this.linked, whole: this.whole, cut: this.cut };
    const counted = await waitFor(
      async () => {
        const found = await this.counted();
        return found.whole === expected.whole && found;
      },
      { describe: 'the ends of downloads to be written down', timeoutMs: 60_000 },
    ).catch(() => this.counted());
    this.stage.did('rows of the access log', counted.links + counted.whole + counted.cut);
    this.stage.expect(this.cut > 0, 'no download was cut off');
    this.stage.expect(
      JSON.stringify(counted) === JSON.stringify(expected),
      `the access log has ${JSON.stringify(counted)}, asked was ${JSON.stringify(expected)}`,
    );
  }

  private async counted(): Promise<Record<'links' | 'whole' | 'cut', number>> {
    const { organizationId } = this;
    const log = await new DownloadAccessStore().page(this.stage.world.database, { organizationId, limit: 100_000 });
    const good = log.filter(({ status }) => status === 200);
    return {
      links: good.filter(({ kind }) => kind === 'links').length,
      whole: good.filter((row) => row.kind === 'file' && row.bytes === bytes).length,
      cut: good.filter((row) => row.kind === 'file' && row.bytes === undefined).length,
    };
  }

  private async begin(gateway: Member): Promise<IncomingMessage> {
    const { downloadUrls: [link = ''] = [] }: { downloadUrls?: string[] } = Object(
      await (await this.ask(gateway)).json(),
    );
    const { pathname, search } = new URL(link);
    const [answer] = (await once(get(`${gateway.url}${pathname}${search}`, { agent: false }), 'response')) as [
      IncomingMessage,
    ];
    this.stage.expect(answer.statusCode === 200, `a download was answered ${answer.statusCode}`);
    await once(answer, 'readable');
    return answer;
  }

  private async ask(gateway: Member): Promise<Response> {
    const answer = await fetch(`${gateway.url}/download/v2/analytics/${this.analyticsId}/${name}`, {
      headers: { 'x-api-key': this.key },
    });
    if (answer.status === 200) this.linked += 1;
    return answer;
  }
}
