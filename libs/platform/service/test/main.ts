import { Env, Section } from '@delivery/platform/config';
import { Inject, Injectable, Logger, Module, type OnModuleInit } from '@nestjs/common';
import { HttpConfig, Lifecycle, LogConfig, runService } from '../src';

class MainConfig {
  @Section(HttpConfig)
  http: HttpConfig;

  @Section(LogConfig)
  log: LogConfig;

  @Env({ name: 'FAULT', description: 'What goes wrong: rejection, exception, start, hang.', default: 'none' })
  fault: string;
}

const FAULT = Symbol('fault');

@Injectable()
class Worker implements OnModuleInit {
  private readonly logger = new Logger(Worker.name);

  constructor(
    private readonly lifecycle: Lifecycle,
    @Inject(FAULT) private readonly fault: string,
  ) {}

  onModuleInit(): void {
    this.lifecycle.onStopIntake(() => this.finish());
    if (this.fault === 'start') throw new Error('the worker cannot start');
    if (this.fault === 'rejection') setImmediate(() => void Promise.reject(new Error('nobody waits for this')));
    if (this.fault === 'exception') {
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
    }
  }

  private async finish(): Promise<void> {
    if (this.fault === 'hang') await new Promise(() => setInterval(() => undefined, 1000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.logger.log('the worker finished its unit');
  }
}

@Module({})
class MainModule {}

void runService({
  name: 'fixture',
  config: MainConfig,
  module: ({ fault }) => ({ module: MainModule, providers: [Worker, { provide: FAULT, useValue: fault }] }),
});
