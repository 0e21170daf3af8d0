import { ApiKeyStore } from '@delivery/integrations/store';
import { AuthModule } from '@delivery/platform/auth';
import { type DynamicModule, Module } from '@nestjs/common';
import type { IntegrationsApiConfig } from './app.config';
import { IntegrationsModule } from './integrations/integrations.module';
import { KeysController } from './keys/keys.controller';
import { OrganizationsController } from './organizations/organizations.controller';
import { StoresModule } from './stores.module';

/** The control plane: who may deliver what, where and when, and what came of it. No pipeline code. */
@Module({})
export class AppModule {
  static register(config: IntegrationsApiConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        StoresModule.register(config),
        AuthModule.register({
          config: config.auth,
          lookup: { inject: [ApiKeyStore], useFactory: (keys: ApiKeyStore) => keys },
        }),
        IntegrationsModule.register(config),
      ],
      controllers: [KeysController, OrganizationsController],
    };
  }
}
