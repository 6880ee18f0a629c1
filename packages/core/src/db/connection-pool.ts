import { promisify } from 'node:util';
import { createPool, type PoolConnection } from 'mysql2';
import type { TlsConfig } from '../config';
import { databaseBusy, databaseUnavailable, queryTimeout } from '../errors';
import type { Logger } from '../log';
import { type Metrics, ROUND_TRIP_BUCKETS } from '../metrics';
import { beforeDeadline, withTimeout } from '../time';
import { askForPassword, sslOptions } from './connection-settings';
import { DeadlineError, isConnectionError } from './errors';
import { openSession, type Session, type SessionEvents } from './session';
import { assertColumns } from './statement';

const CONNECT_TIMEOUT_MS = 2000;
const CLOSE_TIMEOUT_MS = 1000;
/** Waiting for a free connection longer than this means overload: reject the call instead of queueing it. */
const ACQUIRE_TIMEOUT_MS = 2000;
/** The pool serves a queue of this length in about 200 ms. Without Redis, 300 simultaneous reads must all be served. */
const WAITING_PER_CONNECTION = 30;

/** The server's own limits, well below a call's deadline, so that the server reports why a statement failed. */
export const LOCK_WAIT_MS = 1000;
const STATEMENT_MS = 2000;
/** A server that responded to any statement within this time is alive. */
const ALIVE_MS = 1000;

/**
 * A frozen process keeps its rows locked until the server closes its connection. MariaDB closes connections that are idle
 * inside a database transaction. MySQL closes any idle connection, so the pool must close its idle connections earlier.
 */
const IDLE_TRANSACTION_SECONDS = 5;
const SERVER_IDLE_SECONDS = 50;
const POOL_IDLE_MS = 30_000;

/**
 * By default InnoDB waits 50 s for a lock, and a statement may run forever. The SQL comments hold what only MariaDB or only
 * MySQL understands.
 */
const SESSION_SETUP =
  `SET time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_MS / 1000}, ` +
  "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' " +
  `/*M! , max_statement_time = ${STATEMENT_MS / 1000}, idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS} */ ` +
  `/*!80000 , max_execution_time = ${STATEMENT_MS}, wait_timeout = ${SERVER_IDLE_SECONDS} */`;

export interface DatabaseConfig {
  host: string;
  port: number;
  user: string;
  /** Asked for each new connection. */
  password: () => string;
  name: string;
  /** undefined: plain text. */
  tls: TlsConfig | undefined;
  poolSize: number;
  maxIdle: number;
  maxLifetimeSeconds: number;
  /** Statements that take this long are logged. 0: none. */
  slowStatementMs: number;
  /** How many processes share the server, for the start-up check against its max_connections. */
  fleetProcesses: number;
  /** Compare each statement's declared columns with the server's. Off only in production. */
  checkColumns: boolean;
}

export interface PoolStats {
  limit: number;
  open: number;
  idle: number;
  waiting: number;
}

interface ConnectionPool {
  /**
   * Lends `work` a connection until `deadline` (ms since the epoch). Afterwards an open database transaction is rolled back,
   * and the connection returns to the pool, or is destroyed if its state is unknown.
   */
  lend<T>(deadline: number, work: (session: Session) => Promise<T>): Promise<T>;
  stats(): PoolStats;
  /** How long the oldest waiting caller has waited. 0: none waits. */
  waitMs(): number;
  /** Whether the server responded to any statement within the last second. */
  isServerAlive(): boolean;
  close(): Promise<void>;
}

/** Adds to mysql2's pool: deadlines for waiting and for working, a maximum connection lifetime, and metrics. */
export function createConnectionPool(
  config: DatabaseConfig,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): ConnectionPool {
  const pool = createPool({
    host: config.host,
    port: config.port,
    user: config.user,
    database: config.name,
    ...sslOptions(config.tls),
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    supportBigNumbers: true,
    connectionLimit: config.poolSize,
    // mysql2 closes idle connections only if maxIdle is below connectionLimit.
    maxIdle: Math.min(config.maxIdle, Math.max(1, config.poolSize - 1)),
    idleTimeout: POOL_IDLE_MS,
    queueLimit: config.poolSize * WAITING_PER_CONNECTION,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    maxPreparedStatements: 100,
  });
  askForPassword(pool, config.password);
  const acquireSeconds = metrics.histogram(
    'db_pool_acquire_duration_seconds',
    'Time spent waiting for a pooled connection, including failed attempts',
    ROUND_TRIP_BUCKETS,
  );
  const querySeconds = metrics.histogram(
    'db_query_duration_seconds',
    'Time from sending a statement to its result, by statement name',
    ROUND_TRIP_BUCKETS,
    ['query'],
  );
  const slowSeconds = config.slowStatementMs === 0 ? Number.POSITIVE_INFINITY : config.slowStatementMs / 1000;
  /** Every open connection, with the times when it was opened and last released (ms since the epoch). */
  const open = new Map<object, { openedAt: number; releasedAt: number }>();
  let busy = 0;
  /** Since when each caller waits (performance.now()), the oldest first. */
  const waiting = new Set<{ since: number }>();
  /** SQL texts whose columns were found to be as declared. */
  const checkedTexts = new Set<string>();
  let lastResponseAt = Number.NEGATIVE_INFINITY;

  const getConnection = promisify(pool.getConnection).bind(pool);
  pool.on('connection', (connection) => {
    open.set(connection, { openedAt: Date.now(), releasedAt: Date.now() });
    const remove = () => void open.delete(connection);
    connection.once('end', remove);
    // A reset socket emits no 'end'. And mysql2 may emit a second 'error', which would crash the process without a
    // listener.
    connection.on('error', remove);
    // Queued ahead of the statement that made the pool connect, so it runs first.
    connection.query(SESSION_SETUP, (error) => {
      if (!error) return;
      logger.error({ err: error }, 'could not set up a database connection, closing it');
      remove();
      connection.destroy();
    });
  });

  function isTooOld(connection: PoolConnection): boolean {
    const times = open.get(connection);
    if (!times) return true;
    return (
      Date.now() - times.openedAt > config.maxLifetimeSeconds * 1000 || Date.now() - times.releasedAt > POOL_IDLE_MS
    );
  }

  function destroy(connection: PoolConnection): void {
    open.delete(connection);
    connection.destroy();
  }

  function release(connection: PoolConnection): void {
    const times = open.get(connection);
    if (times) times.releasedAt = Date.now();
    if (isTooOld(connection)) destroy(connection);
    else connection.release();
  }

  const isServerAlive = (): boolean => performance.now() - lastResponseAt < ALIVE_MS;

  async function nextConnection(deadline: number): Promise<PoolConnection> {
    const pending = getConnection();
    // After the deadline the pool may still deliver the connection. Release it then.
    return beforeDeadline(deadline, pending, () => {
      pending.then(release, () => undefined);
      const isConnecting = open.size < config.poolSize;
      return isConnecting && !isServerAlive() ? databaseUnavailable() : databaseBusy();
    });
  }

  const events: SessionEvents = {
    onResponse: () => {
      lastResponseAt = performance.now();
    },
    onFinished(query, seconds, connectionId) {
      querySeconds.observe({ query }, seconds);
      if (seconds < slowSeconds) return;
      const duration_ms = Math.round(seconds * 1000);
      logger.warn({ statement: query, duration_ms, connection_id: connectionId }, 'slow statement');
    },
    onFields(statement, text, fields) {
      if (!config.checkColumns || checkedTexts.has(text)) return;
      assertColumns(statement, text, fields);
      checkedTexts.add(text);
    },
  };

  async function acquire(deadline: number): Promise<PoolConnection> {
    const waiter = { since: performance.now() };
    waiting.add(waiter);
    try {
      for (;;) {
        const connection = await nextConnection(Math.min(deadline, Date.now() + ACQUIRE_TIMEOUT_MS));
        if (!isTooOld(connection)) return connection;
        destroy(connection);
      }
    } catch (error) {
      throw queueIsFull(error) ? databaseBusy({ cause: error }) : error;
    } finally {
      waiting.delete(waiter);
      acquireSeconds.observe((performance.now() - waiter.since) / 1000);
    }
  }

  /** Why a call missed its deadline: no response, a slow statement, or a lock that another call holds. */
  function deadlineError(session: Session): Error {
    const since = session.runningSince();
    if (since !== undefined && !isServerAlive()) return noResponse();
    const isSlow = since !== undefined && performance.now() - since >= STATEMENT_MS;
    return new DeadlineError(isSlow ? queryTimeout : databaseBusy, session.end());
  }

  /** Releases the connection once its running statement has ended. The server ends a statement within its own limits. */
  async function returnToPool(connection: PoolConnection, session: Session, broken: boolean): Promise<void> {
    let usable = !broken && session.isClean();
    if (usable) {
      usable = await beforeDeadline(Date.now() + STATEMENT_MS, session.end(), noResponse).then(
        () => session.isClean(),
        () => false,
      );
    } else void session.end();
    busy -= 1;
    if (usable) release(connection);
    else destroy(connection);
  }

  return {
    async lend(deadline, work) {
      const connection = await acquire(deadline);
      busy += 1;
      const session = openSession(connection, events);
      try {
        // mysql2's own query timeout is no help: it starts only after the previous statement and the preparation.
        const result = await beforeDeadline(deadline, work(session), () => deadlineError(session));
        await returnToPool(connection, session, false);
        return result;
      } catch (error) {
        const returned = returnToPool(connection, session, isConnectionError(error));
        // Once the deadline has passed, the client must not wait any longer.
        if (!(error instanceof DeadlineError)) await returned;
        throw error;
      }
    },
    stats: () => ({
      limit: config.poolSize,
      open: open.size,
      idle: Math.max(0, open.size - busy),
      waiting: waiting.size,
    }),
    isServerAlive,
    waitMs() {
      const [oldest] = waiting;
      return oldest ? performance.now() - oldest.since : 0;
    },
    async close() {
      const closed = promisify(pool.end)
        .call(pool)
        .catch((error) => logger.warn({ err: error }, 'the database pool did not close cleanly'));
      await withTimeout(closed, CLOSE_TIMEOUT_MS, () => undefined);
    },
  };
}

const queueIsFull = (error: unknown): boolean => error instanceof Error && error.message === 'Queue limit reached.';

const noResponse = (): Error => Object.assign(new Error('the database did not respond in time'), { code: 'ETIMEDOUT' });
