import { waitFor } from '@delivery/platform/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { Load, Tenant } from './load';
import type { Stage } from './stage';

/** One way in which a server is away for a while. */
export interface Outage {
  /** For the report: "broker stopped". */
  what: string;
  /** Whether nothing can be accepted meanwhile, so that clients must be told when to come back. */
  refuses: boolean;
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
  for (const { what, refuses, begin, end } of outages) {
    await stage.moment(2000);
    const before = load.toldToComeBack;
    await begin();
    await delay(seconds * 1000);
    const told = load.toldToComeBack - before;
    await end();
    stage.did(what);
    stage.did('seconds of outage', seconds);
    stage.did('told to come back during an outage', told);
    // A short outage may be over before anything has waited for too long.
    stage.expect(!refuses || !stage.long || told > 0, `${what}, and nobody was told to come back`);
    await expectWork(load, what);
    await stage.account(what);
  }
  await stage.conclude(tenants);
}

/** Requests and messages are accepted again, without anybody's help. */
async function expectWork(load: Load, what: string): Promise<void> {
  const { accepted, acknowledged } = load;
  await waitFor(() => load.accepted > accepted + 3 && load.acknowledged > acknowledged, {
    describe: `requests, and messages through Kafka, to be accepted after: ${what}`,
    timeoutMs: 180_000,
  });
}
