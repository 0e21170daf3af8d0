import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { HealthChecks } from './health-checks';
import { Lifecycle } from './lifecycle';
import { Metrics } from './metrics';

/** What a service is made of before Nest exists, so that it can be stopped even if Nest could not be built. */
export interface ServiceParts {
  readonly health: HealthChecks;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
}

/** Makes `HealthChecks`, `Metrics` and `Lifecycle` injectable everywhere, and imports the app's own module. */
@Module({})
export class ServiceModule {
  static register(parts: ServiceParts, appModule: DynamicModule | Type): DynamicModule {
    const providers = [
      { provide: HealthChecks, useValue: parts.health },
      { provide: Metrics, useValue: parts.metrics },
      { provide: Lifecycle, useValue: parts.lifecycle },
    ];
    return { module: ServiceModule, global: true, imports: [appModule], providers, exports: providers };
  }
}
