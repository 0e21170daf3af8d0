import { Env } from '@delivery/platform/config';
import { IsInt, Max, Min } from 'class-validator';

/** How a service records topics. */
export class RecorderConfig {
  @Env({ name: 'INGEST_BATCH_SIZE', description: 'Messages recorded in one transaction at most.', default: '1000' })
  @IsInt()
  @Min(1)
  @Max(10_000)
  batchSize: number;

  @Env({
    name: 'INGEST_RECHECK_MS',
    description: 'Milliseconds between looks at stopped partitions and at rejections that were not copied yet.',
    default: '10000',
  })
  @IsInt()
  @Min(50)
  @Max(600_000)
  recheckMs: number;

  @Env({
    name: 'INGEST_STALLED_SECONDS',
    description: 'Seconds that a partition may stand still, with messages waiting, until its recorder is unready.',
    default: '60',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  stalledSeconds: number;
}
