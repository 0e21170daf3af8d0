import { Env } from '@delivery/platform/config';
import { IsOptional, Matches } from 'class-validator';

/** An optional variable that names another server than the cloud's own: scheme, host and port, without a path. */
export function ServerUrl(env: { name: string; description: string; example: string }): PropertyDecorator {
  const decorators = [
    Env(env),
    IsOptional(),
    Matches(/^https?:\/\/[^/?#@]+\/?$/, { message: 'must be the URL of a server' }),
  ];
  return (prototype, property) => {
    for (const decorate of decorators) decorate(prototype, property);
  };
}

/** `GCS_ENDPOINT`, read alike by everything that opens a bucket. */
export function GcsEndpoint(): PropertyDecorator {
  return ServerUrl({
    name: 'GCS_ENDPOINT',
    description: 'URL of another server than Google Cloud Storage; no token is fetched for it. For local stacks.',
    example: 'http://127.0.0.1:14443',
  });
}
