import { runService, tolerateBuffers } from '@delivery/platform/service';
import { definition } from './app.module';

tolerateBuffers();
void runService(definition);
