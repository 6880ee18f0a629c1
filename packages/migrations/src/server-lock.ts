import type { Connection, RowDataPacket } from 'mysql2/promise';

/** `migrations`: the tables do not change meanwhile. `backups`: nothing else writes to the target of the backups. */
export type ServerLock = 'migrations' | 'backups';

/** The server's locks are global. A lock's name has at most 64 characters, and so has a database's. MySQL 9.6 has no MD5(). */
const nameOf = (lock: ServerLock) => `CONCAT('${lock}.', LEFT(SHA2(DATABASE(), 256), 40))`;

/**
 * Takes a lock of the connection's database. The server releases it when the connection ends, however that happens.
 * @returns undefined, or the id of the connection that holds it
 */
export async function takeServerLock(connection: Connection, lock: ServerLock, waitSeconds: number) {
  const [[row]] = await connection.query<RowDataPacket[]>(
    `SELECT GET_LOCK(${nameOf(lock)}, ?) AS taken, IS_USED_LOCK(${nameOf(lock)}) AS holder`,
    [waitSeconds],
  );
  return row?.taken === 1 ? undefined : String(row?.holder ?? 'ID');
}

export async function releaseServerLock(connection: Connection, lock: ServerLock): Promise<void> {
  // If the connection is lost, the server has released the lock already.
  await connection.query(`DO RELEASE_LOCK(${nameOf(lock)})`).catch(() => undefined);
}
