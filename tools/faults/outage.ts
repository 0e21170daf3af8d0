import { waitFor } from '@delivery/platform/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { Load, Tenant } from './load';
import type { Stage } from './stage';

/** One way in which a server is away for a while. */
export interface Outage {
  /** For the report: "broker stopped". */
  what: string;
  begin: () => unknown;
  end: () => unknown;
}

/**
 * A server is away for a while under load: clients are told to come back, nothing accepted is lost, and everything goes
 * on by itself when it is back.
 */
export async function surviveOutages(stage: Stage, outages: readonly Outage[]): Promise<void> {
  const apps = await stage.startAll();
  const tenants: Tenant[] = [await stage.tenant('first', apps)];
  const load = stage.load(tenants);
  const seconds = stage.long ? 30 : 4;
  for (const { what, begin, end } of outages) {
    await stage.moment(2000);
    await begin();
    await delay(seconds * 1000);
    await end();
    stage.did(what);
    stage.did('seconds of outage', seconds);
    await expectWork(load, what);
    await stage.account(what);
  }
  await stage.conclude(tenants);
}

/** Requests are accepted again, without anybody's help. */
async function expectWork(load: Load, what: string): Promise<void> {
  const before = load.accepted;
  await waitFor(() => load.accepted > before + 3, {
    describe: `requests to be accepted after: ${what}`,
    timeoutMs: 90_000,
  });
}
