import path from 'node:path';

/** The same relative path from `src/`, `dist/` and in an image. */
export const migrationsFolder = path.resolve(__dirname, '../../../sql/migrations');
