export { arrays } from './array-parameters';
export { CopyRows } from './copy-rows';
export type { DatabaseOptions } from './data-source-options';
export { Database, type TransactionOptions } from './database';
export { DatabaseError, databaseErrorCodes, mapDatabaseError, type DatabaseErrorCode } from './errors';
export { createRoles, databaseRoles } from './migrations/1700000000000-roles';
export { PostgresConfig } from './postgres.config';
export { migrations, pendingMigrations, requireMigrations, runMigrations, type MigrationClass } from './run-migrations';
export { literal, type Sql, type Transaction } from './sql';
