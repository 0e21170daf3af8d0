/** The contract's own samples (contracts.md §1.3). */
export const CREATE_S3_EXAMPLE = {
  organization_id: 'acme',
  type_id: 'batch-exports-s3',
  authentication: { account_id: '111122223333' },
  properties: { frequency: 1, data: ['users'] },
  mappings: [],
};

export const CREATE_GCS_EXAMPLE = {
  organization_id: 'acme',
  type_id: 'batch-exports-gcp',
  authentication: {
    project_id: 'acme-cmp',
    json_key: '{"type":"service_account","project_id":"acme-cmp","private_key":"...","client_email":"..."}',
  },
  properties: { frequency: 1, data: ['users'], bucket_name: 'acme-cmp-bucket' },
  mappings: [],
};

export const CREATE_ANALYTICS_S3_EXAMPLE = {
  ...CREATE_S3_EXAMPLE,
  type_id: 'analytics-exports-s3',
  properties: { frequency: 1 },
};

export const CREATE_ANALYTICS_GCS_EXAMPLE = {
  ...CREATE_GCS_EXAMPLE,
  type_id: 'analytics-exports-gcp',
  properties: { frequency: 1, bucket_name: 'acme-cmp-bucket' },
};

const ADDED_EXAMPLE = {
  enabled: true,
  status: 'active',
  created_at: '2026-01-01T10:00:00.000Z',
  updated_at: '2026-01-01T10:00:00.000Z',
  warnings: [],
};

const MADE_EXAMPLE = {
  bucket_name: 'consent-exports-acme-x7f2',
  bucket_access_role_arn: 'arn:aws:iam::999999999999:role/consent-exports-acme-x7f2-role',
};

export const S3_INTEGRATION_EXAMPLE = {
  id: '58g9gnu3b5',
  ...CREATE_S3_EXAMPLE,
  properties: { ...CREATE_S3_EXAMPLE.properties, ...MADE_EXAMPLE },
  ...ADDED_EXAMPLE,
};

export const ANALYTICS_S3_INTEGRATION_EXAMPLE = {
  id: '9gh49gn5x2',
  ...CREATE_ANALYTICS_S3_EXAMPLE,
  properties: { ...CREATE_ANALYTICS_S3_EXAMPLE.properties, ...MADE_EXAMPLE },
  ...ADDED_EXAMPLE,
};

export const GCS_INTEGRATION_EXAMPLE = {
  id: '7k2m9q4x1c',
  ...CREATE_GCS_EXAMPLE,
  authentication: { project_id: 'acme-cmp', client_email: 'exports@acme-cmp.iam.gserviceaccount.com' },
  ...ADDED_EXAMPLE,
};

export const ANALYTICS_GCS_INTEGRATION_EXAMPLE = {
  ...GCS_INTEGRATION_EXAMPLE,
  ...CREATE_ANALYTICS_GCS_EXAMPLE,
  id: '3w8t5j0v6d',
  authentication: GCS_INTEGRATION_EXAMPLE.authentication,
};

/** An analytics id as a body asks for it. */
export const CREATE_ANALYTICS_ID_EXAMPLE = {
  organization_id: 'acme',
  id: 'acme-analytics',
  name: 'Websites in Europe',
  settings_ids: ['k3fW9zQx1', 'p7LmT2vR8'],
  frequencies: ['daily', 'weekly', 'monthly'],
  aggregations: ['interaction', 'granular'],
  reports_from: '2026-01-01',
};

export const ANALYTICS_ID_EXAMPLE = {
  ...CREATE_ANALYTICS_ID_EXAMPLE,
  enabled: true,
  created_at: '2026-01-01T10:00:00.000Z',
};
