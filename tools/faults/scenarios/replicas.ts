import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '../../services';
import type { Member } from '../member';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';

/** Longer than the lease of a run (3 s) and than the session of a recorder (6 s). */
const frozenMs = 8000;

/** Three of each app that takes work by itself; they come, go, die and freeze, and no work is done twice. */
export const replicas: Scenario = {
  name: 'replicas',
  row: 'F7',
  does: 'runs three recorders, schedulers and exporters at once, stops, kills and freezes them: one claim per attempt',
  shows: { exports: 4, accounts: 5, done: ['claims of runs'] },
  async run(stage) {
    const apps = await stage.startAll();
    const tenants = [await stage.tenant('first', apps), await stage.tenant('second', apps)];
    await witnessClaims(stage);
    stage.load(tenants);
    const teams = [
      [apps.record, ...(await more(stage, 'consent-ingest', { INGEST_ROLES: 'record' }))],
      [apps.scheduler, ...(await more(stage, 'scheduler'))],
      [apps.s3, ...(await more(stage, 'exporter-s3'))],
      [apps.gcs, ...(await more(stage, 'exporter-gcs'))],
    ];
    await stage.account('the replicas joined');
    for (let round = 0; round < (stage.long ? 10 : 1); round += 1) {
      for (const [n, fault] of stage.shuffled(faults).entries()) {
        await Promise.all(teams.map((team) => fault(stage, stage.shuffled(team)[0] ?? apps.record)));
        await stage.account(`round ${round + 1}, fault ${n + 1}`);
      }
    }
    await stage.conclude(tenants);
    await expectSingleClaims(stage);
  },
};

const faults: readonly ((stage: Stage, member: Member) => Promise<void>)[] = [
  async (stage, member) => {
    await stage.moment(500);
    await member.stop();
    stage.did(`stops of ${member.name}`);
    await member.start();
  },
  async (stage, member) => {
    await stage.moment(500);
    await member.kill();
    stage.did(`kills of ${member.name}`);
    await member.start();
  },
  async (stage, member) => {
    await stage.moment(500);
    member.signal('SIGSTOP');
    await delay(frozenMs);
    member.signal('SIGCONT');
    stage.did(`freezes of ${member.name}`);
  },
];

function more(stage: Stage, name: ServiceName, environment: Record<string, string> = {}): Promise<Member[]> {
  return Promise.all([stage.start(name, environment), stage.start(name, environment)]);
}

/** Postgres itself writes down every claim of a run, whoever makes it. */
async function witnessClaims({ world }: Stage): Promise<void> {
  await world.database.query(
    `CREATE TABLE witnessed_claim (run text NOT NULL, attempt int NOT NULL, owner text, too_early boolean NOT NULL);
     CREATE FUNCTION witness_claim() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
     BEGIN
       INSERT INTO witnessed_claim VALUES (NEW.organization_id || ' ' || NEW.id, NEW.attempt, NEW.lease_owner,
         OLD.status = 'running' AND OLD.lease_until > clock_timestamp());
       RETURN NULL;
     END $$;
     CREATE TRIGGER witness_claim AFTER UPDATE ON export_run FOR EACH ROW
       WHEN (NEW.lease_owner IS NOT NULL
         AND (NEW.attempt, NEW.lease_owner) IS DISTINCT FROM (OLD.attempt, OLD.lease_owner)) EXECUTE FUNCTION witness_claim();`,
  );
}

async function expectSingleClaims(stage: Stage): Promise<void> {
  const [found] = await stage.world.database.query<Record<'claims' | 'twice' | 'early' | 'owners', number>>(
    `SELECT count(*)::int AS claims, (count(*) - count(DISTINCT (run, attempt)))::int AS twice,
       count(*) FILTER (WHERE too_early)::int AS early, count(DISTINCT owner)::int AS owners FROM witnessed_claim`,
  );
  const { claims = 0, twice = 0, early = 0, owners = 0 } = found ?? {};
  stage.did('claims of runs', claims);
  stage.did('exporters that claimed', owners);
  stage.expect(claims > 0 && twice === 0, `${twice} of ${claims} claims were of an attempt that was claimed before`);
  stage.expect(early === 0, `${early} runs were claimed while somebody's lease lasted`);
}
