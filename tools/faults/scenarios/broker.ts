import { surviveOutages } from '../outage';
import type { Scenario } from '../scenario';

/** Kafka away: stopped, killed, frozen. */
export const broker: Scenario = {
  name: 'broker',
  row: 'F2',
  does: 'stops, kills and freezes the broker under load, for 30 s each in the long form',
  shows: { exports: 2, accounts: 4, done: ['broker stopped', 'broker killed', 'broker frozen'] },
  async run(stage) {
    const { servers } = stage;
    await surviveOutages(stage, [
      { what: 'broker stopped', refuses: true, begin: () => servers.stop('kafka'), end: () => servers.start() },
      { what: 'broker killed', refuses: true, begin: () => servers.kill('kafka'), end: () => servers.start() },
      { what: 'broker frozen', refuses: true, begin: () => servers.freeze('kafka'), end: () => servers.thaw('kafka') },
    ]);
  },
};
