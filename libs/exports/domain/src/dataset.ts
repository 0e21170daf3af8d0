/**
 * What an integration can deliver: the value of `properties.data`, which is also the folder of its files, and the content
 * of the export engine that it stands for.
 */
export const DATASETS = {
  users: 'consent-users',
  events: 'consent-events',
  cmp_hourly_metrics: 'cmp_hourly_metrics',
} as const;

export type Dataset = keyof typeof DATASETS;
