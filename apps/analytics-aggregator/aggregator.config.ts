import { Env } from '@delivery/platform/config';
import { IsInt, Max, Min } from 'class-validator';

/** When the aggregator looks for consents to count and for hours to close. */
export class AggregatorConfig {
  @Env({
    name: 'ANALYTICS_CONSENTS_SECONDS',
    description: 'Seconds between looks at consents that are recorded and not counted.',
    default: '1',
  })
  @IsInt()
  @Min(1)
  @Max(300)
  consentsSeconds: number;

  @Env({
    name: 'ANALYTICS_CLOSING_SECONDS',
    description: 'Seconds between looks at hours that are over and not closed.',
    default: '5',
  })
  @IsInt()
  @Min(1)
  @Max(300)
  closingSeconds: number;

  @Env({
    name: 'ANALYTICS_GRACE_SECONDS',
    description:
      'Seconds that an hour must be over, by the clock of Postgres, before it is sealed: more than the clock of a broker may be behind it.',
    default: '30',
  })
  @IsInt()
  @Min(0)
  @Max(3600)
  graceSeconds: number;

  @Env({
    name: 'ANALYTICS_LATE_SECONDS',
    description: 'Seconds that an hour may be over without being closed, until the process is unready.',
    default: '900',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  lateSeconds: number;

  @Env({
    name: 'ANALYTICS_STALLED_SECONDS',
    description: 'Seconds that a task may be late, or fail again and again, until the process is unready.',
    default: '60',
  })
  @IsInt()
  @Min(1)
  @Max(3600)
  stalledSeconds: number;
}
