const SHARD_DIGITS = 12;
/** A report has less than a million shards: a number of them begins with zeros, which no year does. */
const MAX_SHARDS_DIGITS = 6;
const SHARD_FILE = /^(.+)-(\d{12})\.csv$/;

/** The folder of an analytics id's reports in the report store. Both ids consist of characters that are safe in keys. */
export function reportFolder(organizationId: string, analyticsId: string): string {
  return `analytics/${organizationId}/${analyticsId}/`;
}

/** `interaction-2022-04-01-000000000000.csv`; `shard` counts from 0. */
export function shardFile(prefix: string, shard: number): string {
  return `${prefix}-${String(shard).padStart(SHARD_DIGITS, '0')}.csv`;
}

/** @returns undefined for a name of another form */
export function parseShardFile(file: string): { prefix: string; shard: number } | undefined {
  const [, prefix, digits] = SHARD_FILE.exec(file) ?? [];
  return prefix === undefined ? undefined : { prefix, shard: Number(digits) };
}

/** What the names of a report's shards begin with, and those of no other report: a month's name begins with a day's. */
export function shardFileBeginning(prefix: string): string {
  return `${prefix}-${'0'.repeat(SHARD_DIGITS - MAX_SHARDS_DIGITS)}`;
}

/** Lies beside the shards: their names, sizes, rows and checksums. */
export function reportManifestFile(prefix: string): string {
  return `_manifest-${prefix}.json`;
}
