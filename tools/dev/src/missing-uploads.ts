import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { type DatabaseSettings, displayPath, repoRoot, withConnection } from '@shop/test-servers';
import type { RowDataPacket } from 'mysql2/promise';

/** The newest of each kind. One upload may be missing for another reason, but not all of them. */
const NEWEST = `
  (SELECT stored_name AS name FROM files ORDER BY id DESC LIMIT 10)
  UNION ALL
  (SELECT image FROM products WHERE image IS NOT NULL ORDER BY id DESC LIMIT 10)`;

/**
 * A warning if none of the uploads that the database lists is in the folder. That happens when a second clone of this project
 * shares the database but not the folder.
 */
export async function missingUploadsWarning(database: DatabaseSettings, env: Env): Promise<string | undefined> {
  if (env.S3_BUCKET) return undefined;
  const folder = path.resolve(repoRoot, env.UPLOAD_PATH || '.data/uploads');
  const [rows] = await withConnection(database, 60_000, (connection) => connection.query<RowDataPacket[]>(NEWEST));
  if (rows.length === 0 || rows.some(({ name }) => existsSync(path.join(folder, name)))) return undefined;
  return (
    `warning: the database ${database.database} at ${database.host}:${database.port} has uploads that are not in ` +
    `${displayPath(folder)}, so images will be 404. Does another copy of this project use the same database? Set UPLOAD_PATH ` +
    'to the folder with its uploads, or DB_NAME to a database of your own.'
  );
}
