import { ConfigError, loadConfig } from '@delivery/platform/config';
import { PostgresConfig } from './postgres.config';

const load = (url: string) => loadConfig(PostgresConfig, { DATABASE_URL: url });

describe('PostgresConfig', () => {
  it.each([
    'postgres://u:p@h:5432/d',
    'postgresql://h/d?application_name=x',
    'postgres://h/d?application_name=x&keepalives=1',
    'postgres://u:sslmode=x@h/d',
  ])('takes %s', (url) => {
    expect(load(url).url).toBe(url);
  });

  it.each([
    'mysql://h/d',
    'postgres://h/d?sslmode=disable',
    'postgres://h/d?application_name=x&sslmode=no-verify',
    'postgres://h/d?ssl=true',
    'postgres://h/d?sslrootcert=/x',
    'postgres://h/d?options=-c%20role%3Dpostgres',
  ])('refuses %s, because it would overrule other variables or is no URL of Postgres', (url) => {
    expect(() => load(url)).toThrow(ConfigError);
  });

  it('works without TLS and role, and with bounded statements, unless told otherwise', () => {
    expect(load('postgres://h/d')).toMatchObject({ ssl: false, role: '', poolSize: 10, statementTimeoutMs: 60_000 });
  });
});
