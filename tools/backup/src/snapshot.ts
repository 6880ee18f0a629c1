import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { BackupError } from './errors';
import type { Manifest } from './manifest';

/** The state of all tables at one moment. Open until the connection's next COMMIT. */
export type Snapshot = Pick<Manifest, 'snapshotAt' | 'server' | 'binlog'> & {
  /** How long writers had to wait for it. */
  writersWaitedMs: number;
};

type BinlogPosition = Manifest['binlog'];

/** Opens a snapshot, with the position of the binary log that belongs exactly to it. */
export async function openSnapshot(connection: Connection): Promise<Snapshot> {
  const [row] = await rowsOf(connection, 'SELECT VERSION() AS version, @@log_bin AS logBin');
  const version = String(row?.version);
  const server = { flavour: /mariadb/i.test(version) ? ('mariadb' as const) : ('mysql' as const), version };
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  const open = Number(row?.logBin) === 0 ? openWithoutPosition : OPEN_WITH_POSITION[server.flavour];
  const { binlog, writersWaitedMs = 0 } = await open(connection);
  const [time] = await rowsOf(connection, "SELECT DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.%f') AS now");
  return { server, binlog, writersWaitedMs, snapshotAt: `${String(time?.now).slice(0, 23)}Z` };
}

interface Opened {
  binlog: BinlogPosition;
  writersWaitedMs?: number;
}

const START = 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';

async function openWithoutPosition(connection: Connection): Promise<Opened> {
  await connection.query(START);
  return { binlog: null };
}

const OPEN_WITH_POSITION = {
  /** MariaDB keeps the position of each snapshot. */
  async mariadb(connection: Connection): Promise<Opened> {
    await connection.query(START);
    const rows = await rowsOf(connection, "SHOW SESSION STATUS LIKE 'Binlog_snapshot_%'");
    const status = new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
    return { binlog: positionOf(status.get('binlog_snapshot_file'), status.get('binlog_snapshot_position')) };
  },

  /** MySQL does not, so commits wait for a moment. */
  async mysql(connection: Connection): Promise<Opened> {
    const lockedAt = await lockAllTables(connection);
    try {
      await connection.query(START);
      return { binlog: await readPosition(connection), writersWaitedMs: Math.ceil(performance.now() - lockedAt) };
    } finally {
      await connection.query('UNLOCK TABLES');
    }
  },
};

/**
 * The lock waits for all running statements, and all later writers wait for the lock. So it gives up after a second, rather than
 * stop the shop behind one long statement.
 */
const LOCK_WAIT_SECONDS = 1;
const LOCK_ATTEMPTS = 10;
const PAUSE_MS = 5000;

/** @returns since when writers may have waited (performance.now()) */
async function lockAllTables(connection: Connection): Promise<number> {
  await connection.query(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
  for (let attempt = 1; ; attempt += 1) {
    const start = performance.now();
    try {
      await connection.query('FLUSH TABLES WITH READ LOCK');
      return start;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ER_LOCK_WAIT_TIMEOUT') throw error;
      if (attempt === LOCK_ATTEMPTS) {
        throw new BackupError(
          `a statement has been running for too long: ${LOCK_ATTEMPTS} times, no snapshot could be opened within ` +
            `${LOCK_WAIT_SECONDS} s. SHOW PROCESSLIST shows it.`,
          { cause: error },
        );
      }
      await sleep(PAUSE_MS);
    }
  }
}

async function readPosition(connection: Connection): Promise<BinlogPosition> {
  // The second is the name before MySQL 8.2, which is a syntax error in 8.4.
  const rows = await rowsOf(connection, 'SHOW BINARY LOG STATUS').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ER_PARSE_ERROR') throw error;
    return rowsOf(connection, 'SHOW MASTER STATUS');
  });
  return positionOf(rows[0]?.File, rows[0]?.Position);
}

function positionOf(file: unknown, position: unknown): BinlogPosition {
  if (!file || !position) throw new BackupError('the server writes a binary log, but does not tell the position in it');
  return { file: String(file), position: Number(position) };
}

async function rowsOf(connection: Connection, statement: string): Promise<RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(statement);
  return rows;
}
