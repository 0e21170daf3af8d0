import { Env } from '@delivery/platform/config';
import { NamedKeys } from '@delivery/platform/secrets';
import { IsInt, Matches, Max, Min } from 'class-validator';

/** How links to reports are made, and how many may be asked for. */
export class DownloadConfig {
  @Env({
    name: 'DOWNLOAD_PUBLIC_URL',
    description: 'Where clients reach this service: what its own links begin with (report store: file).',
    default: 'http://127.0.0.1:8086',
    example: 'https://downloads.example.org',
  })
  @Matches(/^https?:\/\/[^/?#@]+(?:\/[A-Za-z0-9._~-]+)*$/, { message: 'must be a URL without a "/" at its end' })
  publicUrl: string;

  @Env({
    name: 'DOWNLOAD_SIGNING_KEYS',
    description:
      'Keys that sign links to files, as name:base64 of 32 bytes, comma separated. The first signs; all are accepted. ' +
      'To rotate, add a new one at the end everywhere, then move it first, then drop the old one after 15 minutes.',
    example: '2026b:<base64>,2026a:<base64>',
    secret: true,
  })
  @NamedKeys()
  signingKeys: string[];

  @Env({ name: 'DOWNLOAD_LINK_SECONDS', description: 'How long a link is good for.', default: '900' })
  @IsInt()
  @Min(60)
  @Max(604_800)
  linkSeconds: number;

  @Env({
    name: 'DOWNLOAD_REQUESTS_PER_15_SECONDS',
    description: 'Requests for links that one organization may make in 15 seconds, to one process.',
    default: '100',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  requestLimit: number;

  @Env({
    name: 'DOWNLOAD_FILES_AT_ONCE',
    description: 'Files that one process sends at once (report store: file); whoever comes then is answered 503.',
    default: '1000',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  filesAtOnce: number;

  @Env({
    name: 'DOWNLOAD_FILES_AT_ONCE_PER_LINK',
    description:
      'Of these, with one link: a client may fetch a file in several parts at once. Further ones are answered 429.',
    default: '16',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  filesAtOncePerLink: number;
}
