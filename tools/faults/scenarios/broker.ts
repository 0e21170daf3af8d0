import { surviveOutages } from '../outage';
import type { Scenario } from '../scenario';

/** Kafka away: stopped, killed, frozen. */
export const broker: Scenario = {
  name: 'broker',
  row: 'F2',
  does: 'stops, kills and freezes the broker under load, for 30 s each in the long form',
  async run(stage) {
    const { servers } = stage;
    await surviveOutages(stage, [
      { what: 'broker stopped', begin: () => servers.stop('kafka'), end: () => servers.start() },
      { what: 'broker killed', begin: () => servers.kill('kafka'), end: () => servers.start() },
      { what: 'broker frozen', begin: () => servers.freeze('kafka'), end: () => servers.thaw('kafka') },
    ]);
  },
};
