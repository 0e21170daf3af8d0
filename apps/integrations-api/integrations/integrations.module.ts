import { IntegrationStore, OrganizationStore } from '@delivery/integrations/store';
import { type DynamicModule, Module } from '@nestjs/common';
import type { IntegrationsApiConfig } from '../app.config';
import { BucketsModule } from '../buckets/buckets.module';
import { EnabledQuota } from '../quotas/enabled-quota';
import { QuotasController } from '../quotas/quotas.controller';
import { ChangeIntegration } from './change-integration';
import { CreateIntegration } from './create-integration';
import { IntegrationsController } from './integrations.controller';
import { OwnerStepsController } from './owner-steps.controller';

@Module({})
export class IntegrationsModule {
  static register(config: IntegrationsApiConfig): DynamicModule {
    return {
      module: IntegrationsModule,
      imports: [BucketsModule.register(config)],
      controllers: [IntegrationsController, OwnerStepsController, QuotasController],
      providers: [
        {
          provide: EnabledQuota,
          inject: [OrganizationStore, IntegrationStore],
          useFactory: (organizations: OrganizationStore, integrations: IntegrationStore) =>
            new EnabledQuota(organizations, integrations, config.quota.exportsConfigs),
        },
        CreateIntegration,
        ChangeIntegration,
      ],
    };
  }
}
