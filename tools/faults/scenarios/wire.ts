import { type Outage, surviveOutages } from '../outage';
import type { Scenario } from '../scenario';
import type { Servers } from '../servers';
import type { TcpFault } from '../tcp-proxy';

const faults: readonly { what: string; refuses: boolean; fault: TcpFault }[] = [
  { what: 'refused', refuses: true, fault: { kind: 'refuse' } },
  { what: 'silent', refuses: true, fault: { kind: 'black_hole' } },
  { what: 'half open', refuses: true, fault: { kind: 'half_open' } },
  { what: 'at 1 kB/s', refuses: false, fault: { kind: 'trickle', bytesPerSecond: 1000 } },
  { what: 'cut after 2000 bytes', refuses: false, fault: { kind: 'truncate', bytes: 2000 } },
];

/** The network before Kafka and Postgres: the servers are well, and cannot be talked to. */
export const wire: Scenario = {
  name: 'wire',
  row: 'F2, F3',
  does: 'refuses, silences, halves, slows, cuts and resets the connections to Kafka and to Postgres, under load',
  shows: { exports: 2, accounts: 5 },
  async run(stage) {
    const outages = (['kafka', 'postgres'] as const).flatMap((server) => outagesOf(stage.servers, server));
    await surviveOutages(stage, stage.long ? outages : stage.shuffled(outages).slice(0, 4));
  },
};

function outagesOf(servers: Servers, server: 'kafka' | 'postgres'): Outage[] {
  const proxy = servers[server];
  const broken = faults.map(({ what, refuses, fault }) => ({
    what: `${server} ${what}`,
    refuses,
    begin: () => {
      proxy.break(fault);
      if (fault.kind === 'refuse') proxy.reset();
    },
    end: () => proxy.heal(),
  }));
  const reset = { what: `${server} reset`, refuses: false, begin: () => void proxy.reset(), end: () => undefined };
  return [...broken, reset];
}
