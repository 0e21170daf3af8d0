/** The services of the platform, and the ports they are found at when `npm start` runs them. */
export const services = [
  { name: 'integrations-api', port: 8080, does: 'integrations, run now, logs; API reference at /docs' },
  { name: 'consent-ingest', port: 8081, does: 'consents API and recorder; API reference at /docs' },
  { name: 'scheduler', port: 8082, does: 'plans due runs' },
  { name: 'exporter-s3', port: 8083, does: 'delivers runs to S3' },
  { name: 'exporter-gcs', port: 8084, does: 'delivers runs to Google Cloud Storage' },
  { name: 'analytics-aggregator', port: 8085, does: 'counts interactions and consents, writes reports' },
  { name: 'download-gateway', port: 8086, does: 'links to reports; API reference at /docs' },
] as const;

export type ServiceName = (typeof services)[number]['name'];

export const serviceNames: readonly ServiceName[] = services.map(({ name }) => name);

export function servicePort(name: ServiceName): number {
  return services.find((service) => service.name === name)?.port ?? 0;
}
