import type { Scenario } from '../scenario';

/** `kill -9` of every app at any moment while everything works. */
export const kill: Scenario = {
  name: 'kill',
  row: 'F1',
  does: 'kills each app at random moments under load, 50 times each in the long form',
  shows: { exports: 4, accounts: 7 },
  async run(stage) {
    const apps = await stage.startAll();
    const tenants = [await stage.tenant('first', apps), await stage.tenant('second', apps)];
    // Many small files: most moments of a run lie between two of its requests.
    await stage.world.database.query(`UPDATE export_schedule SET spec = spec || '{"max_rows": 5}'`);
    stage.load(tenants, { mayBeGone: true, kafkaMs: stage.long ? 500 : 150 });
    const kills = stage.long ? 50 : 1;
    for (let round = 1; round <= kills; round += 1) {
      for (const [role, app] of stage.shuffled(Object.entries(apps))) {
        await stage.moment(1000);
        await app.kill();
        stage.did(`kills of ${role}`);
        await stage.moment(500);
        await app.start();
        await stage.account(`kill ${round} of ${role}`);
      }
    }
    await stage.conclude(tenants);
    const [row] = await stage.world.database.query<{ again: number }>(
      'SELECT count(*)::int AS again FROM export_run WHERE attempt > 1',
    );
    stage.did('runs that were taken up again', row?.again ?? 0);
  },
};
