import { runService } from '@delivery/platform/service';
import { definition } from './app.module';

void runService(definition);
