import { mapDatabaseError } from '@delivery/platform/postgres';

/** What TypeORM throws is not for callers: rejects with the database's own error class instead. */
export async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw mapDatabaseError(error);
  }
}
