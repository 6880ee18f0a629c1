import { type Connection, createConnection } from 'mysql2';
import type { TlsConfig } from '../config';
import { sslOptions } from './connection-settings';

const CONNECT_TIMEOUT_MS = 2000;

/** The server's own limits, well below a call's deadline, so that the server reports why a statement failed. */
export const LOCK_WAIT_MS = 1000;
export const STATEMENT_MS = 2000;

/**
 * A frozen process keeps its rows locked until the server closes its connection. MariaDB closes connections that are idle
 * inside a database transaction. MySQL closes any idle connection, so the pool must close its idle connections earlier.
 */
const IDLE_TRANSACTION_SECONDS = 5;
const SERVER_IDLE_SECONDS = 50;
export const POOL_IDLE_MS = 30_000;

/**
 * By default InnoDB waits 50 s for a lock, and a statement may run forever. The SQL comments hold what only MariaDB or only
 * MySQL understands.
 */
const SESSION_SETUP =
  `SET time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_MS / 1000}, ` +
  "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' " +
  `/*M! , max_statement_time = ${STATEMENT_MS / 1000}, idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS} */ ` +
  `/*!80000 , max_execution_time = ${STATEMENT_MS}, wait_timeout = ${SERVER_IDLE_SECONDS} */`;

export interface ConnectionConfig {
  host: string;
  port: number;
  user: string;
  /** Asked for each new connection. */
  password: () => string;
  name: string;
  /** undefined: plain text. */
  tls: TlsConfig | undefined;
}

/** A connection of a pool. Times are in ms since the epoch. */
export interface PooledConnection {
  readonly driver: Connection;
  readonly openedAt: number;
  releasedAt: number;
  /** Whether the server commits each statement. undefined: unknown, because changing it has failed. */
  autocommit: boolean | undefined;
}

/** @param onClosed called when the connection has ended or is broken, perhaps more than once */
export function openConnection(
  { host, port, user, password, name, tls }: ConnectionConfig,
  onClosed: (closed: PooledConnection) => void,
): Promise<PooledConnection> {
  return new Promise((resolve, reject) => {
    const driver = createConnection({
      host,
      port,
      user,
      password: password(),
      database: name,
      ...sslOptions(tls),
      charset: 'utf8mb4_unicode_ci',
      timezone: 'Z',
      supportBigNumbers: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      enableKeepAlive: true,
      maxPreparedStatements: 100,
    });
    const now = Date.now();
    const opened: PooledConnection = { driver, openedAt: now, releasedAt: now, autocommit: true };
    const close = () => onClosed(opened);
    driver.once('end', close);
    // A reset socket emits no 'end'. And mysql2 may emit a second 'error', which would crash the process without a listener.
    driver.on('error', close);
    // It fails with the error of the login, too.
    driver.query(SESSION_SETUP, function onSetUp(error) {
      if (!error) return resolve(opened);
      driver.destroy();
      reject(error);
    });
  });
}
