export { applyDatabaseUsers, type DatabaseUser } from './database-users';
export { migrate, migrationStatus } from './migrate';
export { runMigrateCommand } from './migrate-command';
export { type Migration, parseStatements, readMigrations } from './migration-files';
export { releaseServerLock, takeServerLock } from './server-lock';
