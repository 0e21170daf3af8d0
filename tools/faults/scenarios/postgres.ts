import { surviveOutages } from '../outage';
import type { Scenario } from '../scenario';

/** Postgres away: stopped, killed with all its transactions, frozen. */
export const postgres: Scenario = {
  name: 'postgres',
  row: 'F3',
  does: 'stops, kills and freezes the database under load, for 30 s each in the long form',
  async run(stage) {
    const { servers } = stage;
    await surviveOutages(stage, [
      { what: 'database stopped', begin: () => servers.stop('postgres'), end: () => servers.start() },
      { what: 'database killed', begin: () => servers.kill('postgres'), end: () => servers.start() },
      { what: 'database frozen', begin: () => servers.freeze('postgres'), end: () => servers.thaw('postgres') },
    ]);
  },
};
