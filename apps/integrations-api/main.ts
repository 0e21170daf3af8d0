import { runService } from '@delivery/platform/service';
import { integrationsApi } from './integrations-api';

void runService(integrationsApi);
