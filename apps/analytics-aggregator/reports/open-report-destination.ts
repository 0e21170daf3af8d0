import { openReportStore, type ReportStoreConfig } from '@delivery/analytics/reports';
import { DestinationError, type DestinationDriver } from '@delivery/destinations/driver';
import { openFileDestination } from '@delivery/destinations/file';
import { openGcsDestination, parseServiceAccountKey } from '@delivery/destinations/gcs';
import { openS3Destination } from '@delivery/destinations/s3';

/**
 * Where reports are written. Nothing is sent yet.
 * @throws DestinationError `invalid_configuration`
 */
export function openReportDestination(config: ReportStoreConfig): Promise<DestinationDriver> {
  return openReportStore(config, {
    file: openFileDestination,
    s3: openS3Destination,
    gcs: async ({ key, endpoint, ...place }) => {
      if (endpoint !== undefined) {
        return openGcsDestination({ ...place, projectId: 'local', credentials: 'anonymous-local', endpoint });
      }
      const credentials = parseServiceAccountKey(key ?? '');
      if (credentials.project_id === undefined) {
        throw new DestinationError('invalid_configuration', 'REPORT_STORE_GCS_KEY has no project_id.');
      }
      return openGcsDestination({ ...place, projectId: credentials.project_id, credentials });
    },
  });
}
