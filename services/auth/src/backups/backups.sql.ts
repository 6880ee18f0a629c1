import { bigint, dateTime, type Sql, statement } from '@shop/core/db';

/* Table backups, which tools/backup writes, and the row of schema_migrations that says when it was created. */

const FIND_NEWEST = statement(
  'backup.findNewest',
  { finishedAt: dateTime, sizeBytes: bigint },
  `SELECT finished_at AS finishedAt, size_bytes AS sizeBytes FROM backups
   WHERE kind = :kind ORDER BY finished_at DESC LIMIT 1`,
);

export const findNewestBackup = async (sql: Sql, kind: 'backup' | 'restore_drill') =>
  await sql.row(FIND_NEWEST, { kind });

const FIND_TABLE_CREATION = statement(
  'backup.findTableCreation',
  { appliedAt: dateTime },
  "SELECT applied_at AS appliedAt FROM schema_migrations WHERE name = '0011_backups.sql'",
);

/** When the table was created: before, no backup could be recorded. */
export const findBackupsTableCreation = async (sql: Sql): Promise<Date | undefined> =>
  (await sql.row(FIND_TABLE_CREATION))?.appliedAt;
