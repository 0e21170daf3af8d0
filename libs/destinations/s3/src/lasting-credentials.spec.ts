import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { LastingCredentials } from './lasting-credentials';

/** A source whose credentials last so many seconds each. */
function sourceOf(...lifetimes: (number | undefined)[]) {
  let asked = 0;
  const credentials = async () => {
    const seconds = lifetimes[Math.min(asked, lifetimes.length - 1)];
    asked += 1;
    return {
      accessKeyId: `KEY${asked}`,
      secretAccessKey: 'secret',
      ...(seconds !== undefined && { expiration: new Date(Date.now() + seconds * 1000) }),
    };
  };
  const client = new S3Client({ region: 'eu-west-1', credentials });
  let late = 0;
  const lasting = new LastingCredentials(
    (options) => client.config.credentials(options),
    () => Date.now() + late,
  );
  const signed = async () => {
    await lasting.lastFor(900);
    const command = new GetObjectCommand({ Bucket: 'reports', Key: 'a.csv' });
    const link = await getSignedUrl(client, command, { expiresIn: 900 });
    return new URL(link).searchParams.get('X-Amz-Credential')?.split('/')[0];
  };
  return { signed, asked: () => asked, pass: (ms: number) => (late += ms) };
}

it('are asked for again when a link would outlive them', async () => {
  const { signed, asked } = sourceOf(930, 3600);
  expect(await Promise.all([signed(), signed(), signed()])).toEqual(['KEY2', 'KEY2', 'KEY2']);
  expect(await signed()).toBe('KEY2');
  expect(asked()).toBe(2);
});

it('are used as they are when they last, or do not end', async () => {
  for (const seconds of [970, 3600, undefined]) {
    const { signed, asked } = sourceOf(seconds);
    expect(await signed()).toBe('KEY1');
    expect(await signed()).toBe('KEY1');
    expect(asked()).toBe(1);
  }
});

it('are not asked for with each link when their source has none that last', async () => {
  const { signed, asked, pass } = sourceOf(600);
  for (let n = 0; n < 10; n += 1) await signed();
  expect(asked()).toBe(2);
  pass(31_000);
  for (let n = 0; n < 10; n += 1) await signed();
  expect(asked()).toBe(3);
});
