import { existsSync, globSync } from 'node:fs';

import { type ConfigVariable, describeConfig, loadConfig } from '@delivery/platform/config';
import {
  buildOpenApi,
  type MetricSpec,
  metricsOf,
  type ServiceConfig,
  type ServiceDefinition,
} from '@delivery/platform/service';

import { definition as analyticsAggregator } from '../../apps/analytics-aggregator/app.module';
import { definition as consentIngest } from '../../apps/consent-ingest/app.module';
import { definition as downloadGateway } from '../../apps/download-gateway/app.module';
import { definition as exporterGcs } from '../../apps/exporter-gcs/app.module';
import { definition as exporterS3 } from '../../apps/exporter-s3/app.module';
import { definition as integrationsApi } from '../../apps/integrations-api/app.module';
import { definition as scheduler } from '../../apps/scheduler/app.module';
import { placeholderEnvironment } from './placeholder-environment';

/** What the reference says about one service. */
export interface DescribedApp {
  name: string;
  variables: readonly ConfigVariable[];
  metrics: readonly MetricSpec[];
  /** Missing for a service without an API of its own. */
  openApi: (() => Promise<object>) | undefined;
}

/** Every service, sorted by name. A new app is added here; forgetting it is a fault of `npm run generate`. */
export const apps: readonly DescribedApp[] = [
  describe(analyticsAggregator),
  describe(consentIngest),
  describe(downloadGateway),
  describe(exporterGcs),
  describe(exporterS3),
  describe(integrationsApi),
  describe(scheduler),
];

/** Services in `apps/` that {@link apps} does not name. */
export function undescribedApps(root: string): string[] {
  const named = new Set(apps.map(({ name }) => `apps/${name}`));
  return globSync('apps/*', { cwd: root })
    .sort()
    .filter((app) => existsSync(`${root}/${app}/app.module.ts`) && !named.has(app));
}

function describe<C extends ServiceConfig>(definition: ServiceDefinition<C>): DescribedApp {
  const { name, config, openApi } = definition;
  const variables = describeConfig(config);
  const document = () => buildOpenApi(definition, loadConfig(config, placeholderEnvironment(variables)));
  const metrics = metricsOf(definition);
  return { name, variables, metrics, openApi: openApi === undefined ? undefined : document };
}
