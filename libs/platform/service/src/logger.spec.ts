import { createLogger, NestLogger, runInLogContext } from './logger';
import { redact, redactText } from './redact';

function capture() {
  const lines: string[] = [];
  const logger = new NestLogger(createLogger('svc', 'trace', { write: (line: string) => void lines.push(line) }));
  return { lines, logger, parsed: () => lines.map((line): Record<string, unknown> => JSON.parse(line)) };
}

describe('NestLogger', () => {
  it('takes fields and a message in every order Nest hands them over', () => {
    const { logger, parsed } = capture();
    logger.log('plain', 'Ctx');
    logger.warn({ a: 1 }, 'with fields', 'Ctx');
    logger.debug('fields last', { b: 2 }, 'Ctx');
    logger.error('with stack', 'Error: x\n    at y', 'Ctx');
    logger.error('no stack', undefined, 'Ctx');
    logger.error({ err: new TypeError('bad') }, 'with error', 'Ctx');
    logger.fatal(new Error('bare'), 'Ctx');
    logger.verbose('quiet');
    logger.log('chatty', 'RoutesResolver');
    expect(parsed()).toMatchObject([
      { level: 'info', msg: 'plain', context: 'Ctx', service: 'svc' },
      { level: 'warn', msg: 'with fields', a: 1, context: 'Ctx' },
      { level: 'debug', msg: 'fields last', b: 2 },
      { level: 'error', msg: 'with stack', stack: 'Error: x\n    at y', context: 'Ctx' },
      { level: 'error', msg: 'no stack', context: 'Ctx' },
      { level: 'error', msg: 'with error', err: { type: 'TypeError', message: 'bad' } },
      { level: 'fatal', err: { message: 'bare' } },
      { level: 'trace', msg: 'quiet' },
      { level: 'debug', msg: 'chatty' },
    ]);
  });

  it('adds the fields of the surrounding work, nested ones too', async () => {
    const { logger, parsed } = capture();
    await runInLogContext({ run: 'r1' }, async () => {
      await Promise.resolve();
      runInLogContext({ file: 2 }, () => logger.log('inside'));
    });
    logger.log('outside');
    expect(parsed()).toMatchObject([{ run: 'r1', file: 2 }, { msg: 'outside' }]);
    expect(parsed()[1]).not.toHaveProperty('run');
  });

  it('never writes a canary secret, wherever it hides', () => {
    const { logger, lines } = capture();
    const secret = 'CANARY0123456789abcdef0123';
    const sdk = Object.assign(new Error('denied'), { request: { headers: { authorization: secret } }, code: 'E1' });
    logger.error({ err: new Error('outer', { cause: sdk }), deep: { list: [{ 'X-Api-Key': secret }] } }, 'm', 'C');
    logger.log({ json_key: { private_key: secret }, Authorization: secret, secret_key: secret, cookie: secret }, 'm');
    logger.log(`GET /x?apiKey=${secret}&b=1`);
    logger.log({ header: `Bearer ${secret}`, other: `App ${secret}`, url: `postgres://u:${secret}@h/db` }, 'm');
    logger.log(`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`);
    logger.log({ jwt: `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}` }, 'm');
    expect(lines).toHaveLength(6);
    expect(lines.join('')).not.toContain('CANARY');
    expect(lines[0]).toContain('"message":"denied"');
    expect(lines[2]).toContain('&b=1');
    expect(lines[3]).toContain('postgres://u:[hidden]@h/db');
  });
});

describe('redact', () => {
  it.each(['signature', 'X-Amz-Signature', 'X-Goog-Signature', 'X-Goog-Credential', 'apikey'])(
    'hides %s in a link',
    (name) => {
      expect(redactText(`"https://host/file?a=1&${name}=abc.DEF-9%2F&b=2"`)).toBe(
        `"https://host/file?a=1&${name}=[hidden]&b=2"`,
      );
    },
  );

  it('keeps what is harmless', () => {
    const at = new Date(0);
    expect(redact({ a: 1n, at, bytes: Buffer.from('abc'), token_type: 'x', list: [null, undefined, 'b'] })).toEqual({
      a: '1',
      at,
      bytes: '[3 bytes]',
      token_type: 'x',
      list: [null, undefined, 'b'],
    });
    expect(redactText('Basic authentication is needed; App started; see https://host:80/a@b')).toBe(
      'Basic authentication is needed; App started; see https://host:80/a@b',
    );
  });

  it('ends on cycles', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(JSON.stringify(redact(cycle))).toContain('[too deep]');
  });
});
