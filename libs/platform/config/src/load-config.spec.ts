import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ArrayNotEmpty, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';
import { ConfigError, type ConfigFault, describeConfig, Env, loadConfig, Section } from './index';

type Mechanism = 'plain' | 'scram-sha-512';

class BrokerConfig {
  @Env({ name: 'BROKERS', description: 'Where the brokers are.', example: 'localhost:9092' })
  @ArrayNotEmpty()
  brokers: string[];

  @Env({ name: 'TLS', description: 'Whether to use TLS.', default: 'false' })
  tls: boolean;

  @Env({ name: 'MECHANISM', description: 'How to log in.' })
  @IsOptional()
  @IsIn(['plain', 'scram-sha-512'])
  mechanism?: Mechanism;

  @Env({ name: 'PASSWORD', description: 'The password.', secret: true })
  @ValidateIf((config: BrokerConfig) => config.mechanism !== undefined)
  @Matches(/^[a-z-]{8,}$/, { message: 'password has other characters than a-z and -, it is $value' })
  password?: string;
}

class WebConfig {
  @Env({ name: 'PORT', description: 'The port.', default: '8080' })
  @IsInt()
  @Min(0)
  @Max(65535)
  port: number;
}

class AppConfig {
  @Section(BrokerConfig)
  broker: BrokerConfig;

  @Section(WebConfig, { defaults: { PORT: '8081' } })
  web: WebConfig;

  @Env({ name: 'PREFIX', description: 'A prefix.', default: '' })
  prefix: string;
}

const CANARY = 'CANARY-7f3a-secret';

function faultsOf(env: NodeJS.ProcessEnv): readonly ConfigFault[] {
  try {
    loadConfig(AppConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('loadConfig', () => {
  it('reads each property by its type, with defaults of the class and of the app', () => {
    const config = loadConfig(AppConfig, { BROKERS: ' a:1, b:2 ,', TLS: 'TRUE', PASSWORD: '' });
    expect(config).toBeInstanceOf(AppConfig);
    expect(config.broker.brokers).toEqual(['a:1', 'b:2']);
    expect(config.broker.tls).toBe(true);
    expect(config.broker.password).toBeUndefined();
    expect(config.web.port).toBe(8081);
    expect(config.prefix).toBe('');
  });

  it('reports all faults of all sections at once, with description and example', () => {
    const faults = faultsOf({ TLS: 'maybe', MECHANISM: 'kerberos', PORT: '70000.5', PASSWORD: 'abcdefgh' });
    expect(faults.map((fault) => fault.variable).sort()).toEqual(['BROKERS', 'MECHANISM', 'PORT', 'PORT', 'TLS']);
    expect(faults).toContainEqual({
      variable: 'BROKERS',
      message: 'BROKERS is not set',
      description: 'Where the brokers are.',
      example: 'localhost:9092',
    });
    expect(faults.map((fault) => fault.message)).toContain('PORT must not be greater than 65535');
    expect(faults.map((fault) => fault.message)).toContain('TLS must be true or false, not "maybe"');
    const error = new ConfigError(faults);
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain('- BROKERS is not set. Where the brokers are. Example: BROKERS=localhost:9092');
  });

  it.each(['', 'x', '0x10', '1e3', 'Infinity', ' '])('does not take %j for a number', (text) => {
    const env = { BROKERS: 'a', PORT: text };
    if (text === '') expect(loadConfig(AppConfig, env).web.port).toBe(8081);
    else expect(faultsOf(env)).toMatchObject([{ variable: 'PORT' }]);
  });

  it('asks for a conditional variable when its condition holds', () => {
    const env = { BROKERS: 'a', MECHANISM: 'plain' };
    expect(faultsOf(env)).toMatchObject([{ message: 'PASSWORD is not set' }]);
    expect(loadConfig(AppConfig, { ...env, PASSWORD: 'long-enough' }).broker.password).toBe('long-enough');
  });

  it('reads a value from a file and says why when it cannot', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      const file = join(folder, 'password');
      writeFileSync(file, 'from-a-file\n');
      const env = { BROKERS: 'a', MECHANISM: 'plain' };
      expect(loadConfig(AppConfig, { ...env, PASSWORD_FILE: file }).broker.password).toBe('from-a-file');
      expect(faultsOf({ ...env, PASSWORD: 'direct-value', PASSWORD_FILE: file })).toMatchObject([
        { message: 'PASSWORD and PASSWORD_FILE are both set: keep one' },
      ]);
      const missing = join(folder, 'missing');
      expect(faultsOf({ ...env, PASSWORD_FILE: missing })).toMatchObject([
        { variable: 'PASSWORD', message: `PASSWORD_FILE names ${missing}, which cannot be read (ENOENT)` },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('never shows a secret: not in faults, not when printed', () => {
    const env = { BROKERS: 'a', MECHANISM: 'plain', PASSWORD: CANARY };
    const faults = faultsOf(env);
    expect(faults).toHaveLength(1);
    expect(JSON.stringify(faults) + new ConfigError(faults).message).not.toContain(CANARY);

    const config = loadConfig(AppConfig, { ...env, PASSWORD: 'canary-in-lower-case' });
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain('canary-in-lower-case');
    expect(JSON.parse(JSON.stringify(config)).broker.brokers).toEqual(['a']);
  });
});

describe('describeConfig', () => {
  it('lists the variables with what the loader would apply', () => {
    const variables = describeConfig(AppConfig);
    expect(variables.map((variable) => variable.variable)).toEqual([
      'PREFIX',
      'BROKERS',
      'TLS',
      'MECHANISM',
      'PASSWORD',
      'PORT',
    ]);
    expect(variables.find((variable) => variable.variable === 'PORT')).toEqual({
      variable: 'PORT',
      description: 'The port.',
      default: '8081',
      required: false,
      secret: false,
      type: 'number',
      constraints: ['a whole number', 'at least 0', 'at most 65535'],
      concern: 'WebConfig',
    });
    expect(variables.find((variable) => variable.variable === 'BROKERS')).toMatchObject({
      required: true,
      type: 'list',
      constraints: ['at least one item'],
    });
    expect(variables.find((variable) => variable.variable === 'MECHANISM')).toMatchObject({
      required: false,
      constraints: ['one of plain, scram-sha-512'],
    });
    expect(variables.find((variable) => variable.variable === 'PASSWORD')?.secret).toBe(true);
  });
});
