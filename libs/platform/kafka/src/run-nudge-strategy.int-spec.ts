import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { testKafka, waitFor, type TestKafka } from '@delivery/platform/testing';
import { concat, of, throwError } from 'rxjs';
import { RunNudgeStrategy } from './run-nudge-strategy';

const topic = 'runs.requested';
const log: string[] = [];
const gate = { promise: Promise.resolve() };

@Controller()
class Nudged {
  @EventPattern(topic)
  async look(@Payload() nudge: { run: string }) {
    log.push(`begin ${nudge.run}`);
    await gate.promise;
    if (nudge.run === 'bad') throw new Error('cannot');
    if (nudge.run === 'stream')
      return concat(
        of(1),
        throwError(() => new Error('late')),
      );
    log.push(`end ${nudge.run}`);
    return undefined;
  }
}

@Module({ controllers: [Nudged] })
class NudgedModule {}

describe('run nudges', () => {
  let kafka: TestKafka;

  beforeEach(async () => {
    kafka = await testKafka([{ name: topic, partitions: 1, config: {} }]);
    log.length = 0;
  });

  afterEach(() => kafka.close());

  const send = (...values: string[]) =>
    kafka.admin.produce(
      topic,
      values.map((value) => ({ value })),
    );
  const nudge = (run: string) => JSON.stringify({ run });

  it('awaits each handler, and goes on after those that fail', async () => {
    const outcomes: string[] = [];
    const strategy = new RunNudgeStrategy(kafka.connection, 'exporter.nudged', {
      observe: (name, outcome) => outcomes.push(`${name} ${outcome}`),
    });
    const app = await NestFactory.createMicroservice(NudgedModule, { strategy, logger: false });
    const release = Promise.withResolvers<void>();
    gate.promise = release.promise;
    await app.listen();
    await send(nudge('1'), nudge('bad'), 'not JSON', nudge('stream'), nudge('2'));
    await waitFor(() => log.length === 1, { describe: 'the first nudge' });
    await expect(kafka.admin.committedOffsets('exporter.nudged', topic)).resolves.toEqual([
      { partition: 0, offset: -1n },
    ]);
    release.resolve();
    await waitFor(() => outcomes.length === 5, { describe: 'all nudges' });
    expect(log).toEqual(['begin 1', 'end 1', 'begin bad', 'begin stream', 'begin 2', 'end 2']);
    expect(outcomes).toEqual(
      ['handled', 'failed', 'malformed', 'failed', 'handled'].map((outcome) => `${topic} ${outcome}`),
    );
    await waitFor(async () => (await kafka.admin.committedOffsets('exporter.nudged', topic))[0]?.offset === 5n, {
      describe: 'the committed offset',
    });
    await app.close();
  });

  it('finishes the nudge in hand when the app closes', async () => {
    const app = await NestFactory.createMicroservice(NudgedModule, {
      strategy: new RunNudgeStrategy(kafka.connection, 'exporter.closed'),
      logger: false,
    });
    const release = Promise.withResolvers<void>();
    gate.promise = release.promise;
    await app.listen();
    await send(nudge('1'), nudge('2'));
    await waitFor(() => log.length === 1, { describe: 'the first nudge' });
    const closing = app.close();
    release.resolve();
    await closing;
    expect(log).toEqual(['begin 1', 'end 1']);
  });
});
