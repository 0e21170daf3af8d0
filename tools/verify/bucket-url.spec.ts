import { parseBucketUrl } from './bucket-url';

describe('a bucket url', () => {
  it.each([
    ['s3://acme', { kind: 's3', bucket: 'acme', prefix: '' }],
    ['s3://acme/', { kind: 's3', bucket: 'acme', prefix: '' }],
    ['gs://acme/data/export-id=1/', { kind: 'gcs', bucket: 'acme', prefix: 'data/export-id=1/' }],
    ['file:///srv/copy%20of%20bucket', { kind: 'file', root: '/srv/copy of bucket' }],
  ])('%s', (text, place) => {
    expect(parseBucketUrl(text)).toEqual(place);
  });

  it.each(['acme', 's3://', 'https://acme.s3.amazonaws.com/', 'file://host/folder', 's3://acme/?x=1'])(
    'is not %s',
    (text) => {
      expect(() => parseBucketUrl(text)).toThrow('give');
    },
  );
});
