import { setImmediate } from 'node:timers/promises';
import { loadConfig } from '@delivery/platform/config';
import { KafkaConfig, KafkaConnection } from '@delivery/platform/kafka';
import { Metrics } from '@delivery/platform/service';
import { acceptMany } from './accept-many';
import { AcceptMessages } from './accept-messages';
import { eventIntake } from './intakes';
import { Tally } from './tally';

const connection = new KafkaConnection(loadConfig(KafkaConfig, { KAFKA_BROKERS: 'nowhere.invalid:9092' }));
const metrics = new Metrics([eventIntake.received]);
const event = { id: 'e1', user: { id: 'u1' }, consents: { purposes: [{ id: 'cookies', enabled: true }] } };

describe('an event over REST', () => {
  const accept = new AcceptMessages(eventIntake, connection, metrics);
  const codeOf = (json: string) => {
    const checked = accept.check(JSON.parse(json), 'acme');
    return checked.ok ? 'ok' : checked.reasons[0]?.code;
  };
  const withMetadata = (json: string) => JSON.stringify(event).replace(/}$/, `,"metadata":${json}}`);

  it.each([
    ['ok', '{"constructors":"\\\\u0000","proto":"__proto__"}'],
    ['ok', '{"a":"\\u00e9 \\ud83c\\udf6a"}'],
    ['unsafe_text', '{"a":"\\u0000"}'],
    ['unsafe_text', '{"a":["b","\\ud800"]}'],
    ['unsafe_text', '{"\\udc00":1}'],
    ['unsafe_text', '{"__proto__":{"a":1}}'],
    ['unsafe_text', '{"__pr\\u006fto__":1}'],
    ['unsafe_text', '{"a":{"constructor":1}}'],
    ['unsafe_text', '{"a":{"c\\u006fnstructor":1}}'],
  ])('is %s with metadata %s', (expected, metadata) => {
    expect(codeOf(withMetadata(metadata))).toBe(expected);
  });
});

it('leaves other requests their turn while an array is checked', async () => {
  let checked = 0;
  const counting = {
    ...eventIntake,
    validate: (value: unknown) => {
      checked += 1;
      return eventIntake.validate(value);
    },
  };
  class Unsent extends AcceptMessages<Parameters<typeof eventIntake.topic.encode>[0]> {
    override publish = async () => [];
  }
  const events = Array.from({ length: 100 }, (_, n) => ({ ...event, id: `e${n}` }));
  const principal = { organizationId: 'acme', keyId: 'k' };
  const tally = new Tally(metrics, eventIntake.received, events.length);
  const answer = acceptMany(new Unsent(counting, connection, metrics), tally, events, principal, {});
  await setImmediate();
  expect(checked).toBeLessThan(50);
  await expect(answer).resolves.toMatchObject({ status: 200, results: { length: 100 } });
});
