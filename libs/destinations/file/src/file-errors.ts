import { abortedError, DestinationError } from '@delivery/destinations/driver';

/** The errno of a failed system call, or `undefined` if the error is not one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** @param path what could not be used, as the operator knows it */
export function mapFileError(error: unknown, path: string): DestinationError {
  if (error instanceof DestinationError) return error;
  if (error instanceof Error && error.name === 'AbortError') return abortedError();
  const fail = (code: DestinationError['code'], message: string): DestinationError =>
    new DestinationError(code, message, { cause: error });
  switch (errnoOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('access_denied', `The user of this process may not write "${path}". Change its owner or mode.`);
    case 'ENOENT':
    case 'ENOTDIR':
      return fail(
        'bucket_not_found',
        `"${path}" does not exist. Create the folder or mount its disk, or change the destination.`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('quota_exceeded', `There is no room for "${path}". Free space on that disk, then retry the run.`);
    case 'ENAMETOOLONG':
      return fail('invalid_key', `A file system cannot hold the name of "${path}". Shorten the layout's segments.`);
    case 'EISDIR':
    case 'ERR_FS_EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return fail('rejected', `"${path}" is a folder, so no file can be written there. Move it away.`);
    case 'EMFILE':
    case 'ENFILE':
    case 'EIO':
      return fail('unavailable', `The file system could not serve "${path}" (${errnoOf(error)}).`);
    default:
      return fail(
        'rejected',
        `"${path}" cannot be used: ${error instanceof Error ? error.message : 'unknown failure'}.`,
      );
  }
}
