import 'reflect-metadata';
import { INTEGRATION_TYPES } from '@delivery/integrations/domain';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import {
  CREATE_ANALYTICS_GCS_EXAMPLE,
  CREATE_ANALYTICS_S3_EXAMPLE,
  CREATE_GCS_EXAMPLE,
  CREATE_S3_EXAMPLE,
  createFaults,
  CreateIntegrationRequest,
  CreateKeyRequest,
  ExecuteExportRequest,
  updateFaults,
  UpdateIntegrationRequest,
  UpdateKeyRequest,
} from './index';

/** Field paths that are refused, as the app's validation pipe sees them. */
function refused(cls: new () => object, body: unknown): string[] {
  const errors = validateSync(plainToInstance(cls, body), { whitelist: true, forbidNonWhitelisted: true });
  const paths = (error: ValidationError, prefix: string): string[] =>
    error.children?.length
      ? error.children.flatMap((child) => paths(child, `${prefix}${error.property}.`))
      : [`${prefix}${error.property}`];
  return errors.flatMap((error) => paths(error, ''));
}

function faultsOf(body: unknown): string[] {
  const shape = refused(CreateIntegrationRequest, body);
  return shape.length > 0
    ? shape
    : createFaults(plainToInstance(CreateIntegrationRequest, body)).map(({ field }) => field);
}

/** The contract's own two bodies, with the types of this version. */
const S3 = {
  organization_id: 'didomi',
  type_id: 'batch-exports-s3',
  authentication: { account_id: '0000000000' },
  properties: { frequency: 1 },
  mappings: [],
};
const GCS = {
  organization_id: 'didomi',
  type_id: 'batch-exports-gcp',
  authentication: { project_id: 'didomi-cmp', json_key: '{"type":"service_account"}' },
  properties: { frequency: 1, bucket_name: 'didomi-cmp-bucket' },
  mappings: [],
};
const s3 = (changes: object) => ({ ...S3, ...changes });
const gcs = (changes: object) => ({ ...GCS, ...changes });

describe('CreateIntegrationRequest', () => {
  it.each([
    S3,
    GCS,
    CREATE_S3_EXAMPLE,
    CREATE_GCS_EXAMPLE,
    CREATE_ANALYTICS_S3_EXAMPLE,
    CREATE_ANALYTICS_GCS_EXAMPLE,
    s3({ type_id: 'analytics-exports-s3', properties: { frequency: 1, data: ['cmp_hourly_metrics'] } }),
  ])('accepts the samples (%#)', (body) => {
    expect(faultsOf(body)).toEqual([]);
  });

  it('needs neither mappings nor an organization in the body', () => {
    const { mappings: _mappings, organization_id: _organization, ...rest } = S3;
    expect(faultsOf(rest)).toEqual([]);
  });

  it.each<[object, string[]]>([
    [{}, ['type_id', 'authentication', 'properties']],
    [s3({ type_id: 7 }), ['type_id']],
    [s3({ type_id: 'sftp' }), ['type_id']],
    [s3({ organization_id: null }), ['organization_id']],
    [s3({ organization_id: ['didomi'] }), ['organization_id']],
    [s3({ authentication: null }), ['authentication']],
    [s3({ authentication: [] }), ['authentication']],
    [s3({ authentication: {} }), ['authentication.account_id']],
    [s3({ authentication: { account_id: 111122223333 } }), ['authentication.account_id']],
    [s3({ authentication: { account_id: '1111-2222-3333' } }), ['authentication.account_id']],
    [s3({ authentication: { account_id: null } }), ['authentication.account_id']],
    [s3({ authentication: { ...S3.authentication, json_key: '{}' } }), ['authentication.json_key']],
    [s3({ authentication: { ...S3.authentication, role: 'x' } }), ['authentication.role']],
    [s3({ properties: { frequency: 2 } }), ['properties.frequency']],
    [s3({ properties: { frequency: '1' } }), ['properties.frequency']],
    [s3({ properties: {} }), ['properties.frequency']],
    [s3({ properties: { frequency: 1, data: ['proofs'] } }), ['properties.data']],
    [s3({ properties: { frequency: 1, data: [] } }), ['properties.data']],
    [s3({ properties: { frequency: 1, data: ['users', 'events'] } }), ['properties.data']],
    [s3({ properties: { frequency: 1, compression: 'none' } }), ['properties.compression']],
    [s3({ properties: { frequency: 1, bucket_name: 'mine' } }), ['properties.bucket_name']],
    [s3({ properties: { frequency: 1, data: ['cmp_hourly_metrics'] } }), ['properties.data']],
    [s3({ type_id: 'analytics-exports-s3', properties: { frequency: 1, data: ['users'] } }), ['properties.data']],
    [s3({ mappings: [{}] }), ['mappings']],
    [s3({ mappings: {} }), ['mappings']],
    [s3({ enabled_: true }), ['enabled_']],
    [gcs({ authentication: {} }), ['authentication.project_id', 'authentication.json_key']],
    [gcs({ authentication: { ...GCS.authentication, json_key: {} } }), ['authentication.json_key']],
    [gcs({ authentication: { ...GCS.authentication, json_key: 'x'.repeat(16_385) } }), ['authentication.json_key']],
    [gcs({ authentication: { ...GCS.authentication, project_id: 'A/../b' } }), ['authentication.project_id']],
    [gcs({ authentication: { ...GCS.authentication, account_id: '1' } }), ['authentication.account_id']],
    [gcs({ properties: { frequency: 1 } }), ['properties.bucket_name']],
    [gcs({ properties: { frequency: 1, bucket_name: '../other' } }), ['properties.bucket_name']],
    [gcs({ properties: { frequency: 1, bucket_name: 'a/b' } }), ['properties.bucket_name']],
    [gcs({ properties: { frequency: 1, bucket_name: 'UPPER' } }), ['properties.bucket_name']],
  ])('refuses %j', (body, fields) => {
    expect(faultsOf(body)).toEqual(fields);
  });
});

describe('UpdateIntegrationRequest', () => {
  it.each([{}, { enabled: false }, { properties: { bucket_name: 'other-bucket' } }, { mappings: [] }])(
    'accepts %j',
    (body) => expect(refused(UpdateIntegrationRequest, body)).toEqual([]),
  );

  it.each<[object, string[]]>([
    [{ enabled: 'false' }, ['enabled']],
    [{ enabled: null }, ['enabled']],
    [{ type_id: 'batch-exports-gcp' }, ['type_id']],
    [{ id: 'x' }, ['id']],
    [{ status: 'deleted' }, ['status']],
    [{ properties: { frequency: 7 } }, ['properties.frequency']],
  ])('refuses %j', (body, fields) => {
    expect(refused(UpdateIntegrationRequest, body)).toEqual(fields);
  });

  it('checks what the type allows', () => {
    const [s3Type, gcsType] = INTEGRATION_TYPES;
    const fields = (...args: Parameters<typeof updateFaults>) => updateFaults(...args).map(({ field }) => field);
    expect(fields(s3Type, { enabled: true, authentication: { account_id: '111122223333' } })).toEqual([]);
    expect(fields(s3Type, { properties: { bucket_name: 'another' } })).toEqual(['properties.bucket_name']);
    expect(fields(s3Type, { authentication: { json_key: '{}' } })).toEqual(['authentication.json_key']);
    expect(fields(s3Type, { authentication: { account_id: 'x' } })).toEqual(['authentication.account_id']);
    expect(fields(gcsType, { authentication: { account_id: '111122223333' } })).toEqual(['authentication.account_id']);
    expect(fields(gcsType, { properties: { bucket_name: 'another' } })).toEqual([]);
  });
});

describe('other requests', () => {
  it.each<[new () => object, object, string[]]>([
    [CreateKeyRequest, { name: 'reporting' }, []],
    [CreateKeyRequest, { name: '' }, ['name']],
    [CreateKeyRequest, { name: ' \t' }, ['name']],
    [CreateKeyRequest, { name: 'a\0b', description: 'a\0b' }, ['name', 'description']],
    [CreateKeyRequest, { name: '\ud800', description: '\ud800' }, ['name', 'description']],
    [CreateKeyRequest, { name: 'Zoë 🚲', description: 'two\nlines' }, []],
    [CreateKeyRequest, { name: 'x', secret: 'mine' }, ['secret']],
    [UpdateKeyRequest, { enabled: false }, []],
    [UpdateKeyRequest, { enabled: 0 }, ['enabled']],
    [ExecuteExportRequest, { export_id: '58g9gnu3b5' }, []],
    [ExecuteExportRequest, {}, ['export_id']],
  ])('%p %j', (cls, body, fields) => {
    expect(refused(cls, body)).toEqual(fields);
  });
});
