import { setTimeout as sleep } from 'node:timers/promises';
import { contentionReason, MIGRATIONS_TABLE, UNFINISHED_RESTORE_TABLE } from '@shop/core/db';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Migration, MigrationLog } from './migration-files';
import { MigrationError } from './migration-files';
import { releaseServerLock, takeServerLock } from './server-lock';

/** Long enough for a starter that waits while another one adds indexes to millions of rows. */
export const LOCK_WAIT_SECONDS = 1800;

/**
 * ALTER TABLE waits for the open database transactions on its table, and every later statement on that table waits for it. So it
 * gives up soon and tries again: the shop's statements get through in between. By default MySQL would wait for a year, MariaDB
 * for a day.
 */
const TABLE_LOCK_WAIT_SECONDS = 5;

/** How often a migration is tried that meets the locks of a running shop. */
const ATTEMPTS = 20;

const SESSION_SETUP =
  `SET time_zone = '+00:00', lock_wait_timeout = ${TABLE_LOCK_WAIT_SECONDS}, ` +
  "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE} (
  name       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  checksum   CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file, hex',
  applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci`;

interface MigrateOptions {
  log?: MigrationLog;
  /** How long to wait while another process migrates the same database. */
  lockWaitSeconds?: number;
}

export interface MigrationStatus {
  /** Recorded in the database, with the time in UTC. */
  applied: { name: string; appliedAt: string }[];
  pending: Migration[];
  /** Recorded in the database, but without a file: a newer release has been here. */
  unknown: string[];
}

/**
 * Applies the migrations that the database does not record, in order, and records each. Only one process at a time does this.
 * Safe to repeat, also after a run that was killed.
 *
 * @param connection used for nothing else meanwhile; its database may be empty
 * @returns the names of the migrations that it applied
 */
export async function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  { log = () => undefined, lockWaitSeconds = LOCK_WAIT_SECONDS }: MigrateOptions = {},
): Promise<string[]> {
  await connection.query(SESSION_SETUP);
  await takeMigrationLock(connection, lockWaitSeconds);
  try {
    await assertRestored(connection);
    await connection.query(CREATE_TABLE);
    const { pending } = await migrationStatus(connection, migrations);
    for (const migration of migrations) {
      const isPending = pending.includes(migration);
      if (!isPending && !migration.everyRun) continue;
      if (isPending) log(`applying ${migration.name}`);
      await applyOne(connection, migration, log);
      if (isPending) await record(connection, migration);
    }
    return pending.map(({ name }) => name);
  } finally {
    await releaseServerLock(connection, 'migrations');
  }
}

async function assertRestored(connection: Connection): Promise<void> {
  if (!(await hasTable(connection, UNFINISHED_RESTORE_TABLE))) return;
  throw new MigrationError('a restore into this database has not finished: run npm run restore again');
}

/** Changes nothing. @throws MigrationError if a file was changed after it was applied */
export async function migrationStatus(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<MigrationStatus> {
  const recorded = await readRecorded(connection);
  const byName = new Map(recorded.map((row) => [row.name, row]));
  const changed = migrations.filter(
    ({ name, checksum, replaced }) => ![checksum, ...replaced].includes(byName.get(name)?.checksum ?? checksum),
  );
  if (changed.length > 0) {
    const names = changed.map(({ name }) => name).join(', ');
    throw new MigrationError(
      `${names} was changed after it was applied to this database: restore the file, and make the change in a new migration`,
    );
  }
  const known = new Set(migrations.map(({ name }) => name));
  return {
    applied: recorded.filter(({ name }) => known.has(name)).map(({ name, appliedAt }) => ({ name, appliedAt })),
    pending: migrations.filter(({ name }) => !byName.has(name)),
    unknown: recorded.map(({ name }) => name).filter((name) => !known.has(name)),
  };
}

/**
 * Tries again after a deadlock or a lock wait timeout. In MariaDB an ALTER TABLE also locks the tables that refer to its own by a
 * foreign key, so it can be the victim of a deadlock with the shop's database transactions.
 */
async function applyOne(connection: Connection, migration: Migration, log: MigrationLog): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await migration.up(connection, log);
    } catch (error) {
      const reason = contentionReason(error);
      if (!reason || attempt === ATTEMPTS) throw failure(migration, error);
      log(`${migration.name}: ${reason}, trying again`);
      await connection.query('ROLLBACK');
      await sleep(Math.random() * 500 * attempt);
    }
  }
}

function failure({ name }: Migration, error: unknown): MigrationError {
  const message = error instanceof Error ? error.message : String(error);
  return new MigrationError(`${name} failed: ${message}. Run it again once this is solved.`, { cause: error });
}

async function record(connection: Connection, { name, checksum }: Migration): Promise<void> {
  await connection.query(`INSERT INTO ${MIGRATIONS_TABLE} (name, checksum) VALUES (?, ?)`, [name, checksum]);
}

/** Waits while another process migrates, backs up or sets up users. @throws MigrationError */
export async function takeMigrationLock(connection: Connection, seconds: number): Promise<void> {
  const holder = await takeServerLock(connection, 'migrations', seconds);
  if (holder === undefined) return;
  throw new MigrationError(
    `another process is migrating or backing up this database, and has not finished within ${seconds} s: wait for it and run ` +
      `this again. If its machine is gone, end its connection on the server with KILL ${holder}.`,
  );
}

interface Recorded {
  name: string;
  checksum: string;
  appliedAt: string;
}

async function hasTable(connection: Connection, name: string): Promise<boolean> {
  const [tables] = await connection.query<RowDataPacket[]>(
    'SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
    [name],
  );
  return tables.length > 0;
}

async function readRecorded(connection: Connection): Promise<Recorded[]> {
  if (!(await hasTable(connection, MIGRATIONS_TABLE))) return [];
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT name, checksum, DATE_FORMAT(applied_at, '%Y-%m-%d %H:%i:%s') AS appliedAt FROM ${MIGRATIONS_TABLE} ORDER BY name`,
  );
  return rows.map(({ name, checksum, appliedAt }) => ({ name, checksum, appliedAt }));
}
