import { s3OwnerSteps } from './s3-owner-steps';

describe('s3OwnerSteps', () => {
  const steps = s3OwnerSteps({
    bucket: 'consent-exports-acme-abcdefghij',
    roleArn: 'arn:aws:iam::999999999999:role/consent-exports-acme-abcdefghij-role',
    accountIds: ['111122223333'],
    exportPrefix: 'data/export-id=58g9gnu3b5/',
    region: 'eu-west-3',
  });

  it('begins with the exact policy for the principal', () => {
    expect(steps[0]?.text).toContain('(111122223333)');
    expect(JSON.parse(steps[0]?.code ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Resource: 'arn:aws:iam::999999999999:role/consent-exports-acme-abcdefghij-role',
        },
      ],
    });
  });

  it('ends with commands that read this export, paying for the requests', () => {
    expect(steps.at(-1)).toMatchObject({
      language: 'bash',
      code: 'aws s3 cp s3://consent-exports-acme-abcdefghij/data/export-id=58g9gnu3b5/ ./exports/ --recursive --request-payer requester --profile consent-exports',
    });
  });
});
