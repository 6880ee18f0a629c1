import { sslOptions } from '@shop/core/db';
import { type Connection, createConnection } from 'mysql2';
import { BackupError, reasonOf } from './errors';
import type { Settings } from './settings';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A dump may take hours, and the target may be slow: none of the server's limits for statements, for readers that pause and for
 * idle connections may end it. The SQL comments hold what only MariaDB or only MySQL understands.
 */
const SESSION_SETUP =
  "SET time_zone = '+00:00', net_write_timeout = 3600, wait_timeout = 86400 " +
  '/*M! , max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */ ' +
  '/*!80000 , max_execution_time = 0 */';

/** For a connection as the user of the backups. */
export const connectionOptions = (settings: Settings) => ({
  host: settings.DB_HOST,
  port: settings.DB_PORT,
  user: settings.BACKUP_DB_USER ?? settings.DB_USER,
  password: (settings.BACKUP_DB_USER === undefined ? undefined : settings.BACKUP_DB_PASS) ?? settings.DB_PASS,
  database: settings.DB_NAME,
  charset: 'utf8mb4_unicode_ci',
  timezone: 'Z',
  ...sslOptions(settings.DB_TLS),
  connectTimeout: CONNECT_TIMEOUT_MS,
  enableKeepAlive: true,
});

/** Connects as the user of the backups. */
export async function connect(settings: Settings): Promise<Connection> {
  const { DB_HOST, DB_PORT, DB_NAME } = settings;
  const connection = createConnection(connectionOptions(settings));
  // A lost connection rejects the running statement. Without a listener, it would also crash the process.
  connection.on('error', () => undefined);
  try {
    await connection.promise().query(SESSION_SETUP);
    return connection;
  } catch (error) {
    connection.destroy();
    const reason = `the database ${DB_NAME} at ${DB_HOST}:${DB_PORT} cannot be used: ${reasonOf(error)}`;
    throw new BackupError(reason, { cause: error });
  }
}
