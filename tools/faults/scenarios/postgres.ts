import { surviveOutages } from '../outage';
import type { Scenario } from '../scenario';

/** Postgres away: stopped, killed with all its transactions, frozen. */
export const postgres: Scenario = {
  name: 'postgres',
  row: 'F3',
  does: 'stops, kills and freezes the database under load, for 30 s each in the long form',
  shows: { exports: 2, accounts: 4, done: ['database stopped', 'database killed', 'database frozen'] },
  async run(stage) {
    const { servers } = stage;
    await surviveOutages(stage, [
      { what: 'database stopped', refuses: true, begin: () => servers.stop('postgres'), end: () => servers.start() },
      { what: 'database killed', refuses: true, begin: () => servers.kill('postgres'), end: () => servers.start() },
      {
        what: 'database frozen',
        refuses: true,
        begin: () => servers.freeze('postgres'),
        end: () => servers.thaw('postgres'),
      },
    ]);
  },
};
