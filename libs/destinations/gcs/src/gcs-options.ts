import { IsDivisibleBy, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { checkOptions, DestinationError, Secret } from '@delivery/destinations/driver';

const KIB = 1024;

/** Chunks of a resumable upload are multiples of it: cloud.google.com/storage/docs/performing-resumable-uploads */
export const CHUNK_UNIT_BYTES = 256 * KIB;
export const DEFAULT_CHUNK_BYTES = 8 * KIB * KIB;
export const DEFAULT_REQUEST_TIMEOUT_MS = 120_000;
export const GOOGLE_ENDPOINT = 'https://storage.googleapis.com';

/** What is used of a service account's key. Made by `parseServiceAccountKey`. */
export class GcsServiceAccount {
  @Matches(/^[a-z0-9.-]{1,100}@[a-z0-9.-]{1,100}\.gserviceaccount\.com$/i, {
    message: 'client_email must be of a service account',
  })
  client_email!: string;

  @Secret()
  @IsString()
  private_key!: string;

  /** Not used by the destination, whose project is told apart; the key has it. */
  @IsOptional()
  @IsString()
  project_id?: string | undefined;
}

/** One bucket and how to reach it. */
export class GcsDestinationOptions {
  @Matches(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, { message: 'bucket must be the name of a Cloud Storage bucket' })
  bucket!: string;

  @Matches(/^[a-z0-9][a-z0-9.:-]{2,80}$/, { message: 'projectId must be the id of a Google Cloud project' })
  projectId!: string;

  /** `'anonymous-local'` sends no credentials and needs an `endpoint`. */
  credentials!: GcsServiceAccount | 'anonymous-local';

  /** Keys lie below it; empty, or ending with "/". */
  @IsOptional()
  @IsString()
  prefix?: string;

  /**
   * Another server than Google's, for local stacks: no token is fetched then. From the operator's configuration only:
   * a customer's could point into the network.
   */
  @IsOptional()
  @Matches(/^https?:\/\/[^/?#@]+\/?$/, { message: 'endpoint must be the URL of a server' })
  endpoint?: string;

  @IsOptional()
  @IsInt()
  @IsDivisibleBy(CHUNK_UNIT_BYTES)
  @Min(CHUNK_UNIT_BYTES)
  @Max(256 * KIB * KIB)
  chunkSizeBytes?: number;

  /** One try of one request. At the default chunk size, the slowest line it tolerates is about 70 kB/s. */
  @IsOptional()
  @IsInt()
  @Min(100)
  requestTimeoutMs?: number;
}

/** @throws DestinationError `invalid_configuration`, naming every fault and no value */
export function checkGcsOptions(given: GcsDestinationOptions): GcsDestinationOptions {
  const { credentials, ...rest } = given;
  const options = checkOptions(GcsDestinationOptions, rest, 'The Cloud Storage destination');
  if (credentials !== 'anonymous-local') {
    return { ...options, credentials: checkOptions(GcsServiceAccount, credentials, 'The service account') };
  }
  if (options.endpoint === undefined) {
    throw new DestinationError('invalid_configuration', 'Google Cloud Storage needs a service account key.');
  }
  return { ...options, credentials };
}
