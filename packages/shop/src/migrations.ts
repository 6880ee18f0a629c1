import path from 'node:path';

/** The newest migration. All services need it: /ready is 503 until the database records it. */
export const REQUIRED_MIGRATION = '0024_fill_product_terms.cjs';

/** The same relative path from `src/`, `dist/` and in an image. */
export const migrationsFolder = path.resolve(__dirname, '../../../sql/migrations');
