import { AnalyticsIdStore, AnalyticsKeyStore, DownloadAccessStore, ReportStore } from '@delivery/analytics/store';
import { Database } from '@delivery/platform/postgres';
import { Module } from '@nestjs/common';
import { AnalyticsIds } from './analytics-ids';
import { AnalyticsIdsController } from './analytics-ids.controller';
import { AnalyticsKeysController } from './analytics-keys.controller';
import { AnalyticsReportsController } from './analytics-reports.controller';

/** Which reports are made, who may download them, and who did. */
@Module({
  controllers: [AnalyticsIdsController, AnalyticsKeysController, AnalyticsReportsController],
  providers: [
    ...[AnalyticsIdStore, ReportStore, DownloadAccessStore].map((Store) => ({
      provide: Store,
      useFactory: () => new Store(),
    })),
    {
      provide: AnalyticsKeyStore,
      inject: [Database],
      useFactory: (database: Database) => new AnalyticsKeyStore(database),
    },
    AnalyticsIds,
  ],
})
export class AnalyticsModule {}
