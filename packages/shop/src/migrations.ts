import path from 'node:path';

/** The newest migration. All services need it: /ready is 503 until the database records it. */
export const REQUIRED_MIGRATION = '0021_stored_responses.sql';

/** The same relative path from `src/`, `dist/` and in an image. */
export const migrationsFolder = path.resolve(__dirname, '../../../sql/migrations');
