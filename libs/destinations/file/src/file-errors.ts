import { abortedError, DestinationError, failureOf } from '@delivery/destinations/driver';

/** @param path what could not be used, as the operator knows it */
export function mapFileError(error: unknown, path: string): DestinationError {
  if (error instanceof DestinationError) return error;
  const { name, code: errno, message: reason } = failureOf(error);
  if (name === 'AbortError') return abortedError();
  const fail = (code: DestinationError['code'], message: string): DestinationError =>
    new DestinationError(code, message, { cause: error });
  switch (errno) {
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
      return fail('unavailable', `The file system could not serve "${path}" (${errno}).`);
    default:
      return fail('rejected', `"${path}" cannot be used: ${reason}.`);
  }
}
