import type { Aggregation, Frequency } from './report-period';

/** A group of settings ids whose reports are made and downloaded together (contracts.md §2.1). */
export interface AnalyticsId {
  readonly organizationId: string;
  readonly id: string;
  readonly name: string;
  readonly settingsIds: readonly string[];
  readonly frequencies: readonly Frequency[];
  readonly aggregations: readonly Aggregation[];
  /** Periods that end before this day have no report, `YYYY-MM-DD`. */
  readonly reportsFrom: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
}

/** A key that reports of one analytics id are downloaded with. Its secret exists only at its creation. */
export interface AnalyticsKey {
  readonly organizationId: string;
  readonly id: string;
  readonly analyticsId: string;
  readonly name: string;
  /** Undefined: all that the analytics id has. */
  readonly frequencies: readonly Frequency[] | undefined;
  readonly aggregations: readonly Aggregation[] | undefined;
  readonly enabled: boolean;
  readonly createdAt: Date;
}
