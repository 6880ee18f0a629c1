import { promisify } from 'node:util';
import { createPool, type PoolConnection } from 'mysql2';
import { databaseBusy, databaseUnavailable, queryTimeout } from '../errors';
import type { Logger } from '../log';
import { type Metrics, ROUND_TRIP_BUCKETS } from '../metrics';
import { beforeDeadline, withTimeout } from '../time';
import { DeadlineError, isConnectionError } from './errors';
import { openSession, type Session, type SessionEvents } from './session';
import { assertColumns } from './statement';

const CONNECT_TIMEOUT_MS = 2000;
const CLOSE_TIMEOUT_MS = 1000;
/** Waiting for a free connection longer than this means overload: shed instead of queueing. */
const ACQUIRE_TIMEOUT_MS = 2000;
/** A burst that is served in about 200 ms. Without Redis, 300 readers who come at once must all be served. */
const WAITING_PER_CONNECTION = 30;

/** What the server allows: both end well before a call's deadline, so that it says itself what a statement died of. */
export const LOCK_WAIT_MS = 1000;
const STATEMENT_MS = 2000;
/** A server that has answered any statement within this time is alive. */
const ALIVE_MS = 1000;

/**
 * A frozen process keeps its rows locked until the server ends its connection. MariaDB does so for connections that idle
 * inside a transaction; MySQL for all that idle, so the pool must close its idle connections earlier.
 */
const IDLE_TRANSACTION_SECONDS = 5;
const SERVER_IDLE_SECONDS = 50;
const POOL_IDLE_MS = 30_000;

/** InnoDB waits 50 s for a lock by default, and a statement may run for ever; the comments are each server's own dialect. */
const SESSION_SETUP =
  `SET time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_MS / 1000}, ` +
  "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' " +
  `/*M! , max_statement_time = ${STATEMENT_MS / 1000}, idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS} */ ` +
  `/*!80000 , max_execution_time = ${STATEMENT_MS}, wait_timeout = ${SERVER_IDLE_SECONDS} */`;

export interface DatabaseConfig {
  host: string;
  port: number;
  user: string;
  password: string;
  name: string;
  poolSize: number;
  maxIdle: number;
  maxLifetimeSeconds: number;
  /** How many processes share the server, for the start-up check against its max_connections. */
  fleetProcesses: number;
  /** Compare each statement's declared columns with the server's: everywhere but in production. */
  checkColumns: boolean;
}

export interface PoolStats {
  limit: number;
  open: number;
  idle: number;
  waiting: number;
}

export interface ConnectionPool {
  /**
   * Lends `work` a connection until `deadline` (ms since the epoch). Afterwards an open transaction is rolled back, and the
   * connection is free again, or destroyed where its state is unknown.
   */
  lend<T>(deadline: number, work: (session: Session) => Promise<T>): Promise<T>;
  stats(): PoolStats;
  close(): Promise<void>;
}

/** mysql2's pool with what it lacks: deadlines for waiting and for working, a longest life, and figures. */
export function createConnectionPool(
  config: DatabaseConfig,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): ConnectionPool {
  const pool = createPool({
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.name,
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    supportBigNumbers: true,
    connectionLimit: config.poolSize,
    // mysql2 closes idle connections only where fewer may idle than there may be.
    maxIdle: Math.min(config.maxIdle, Math.max(1, config.poolSize - 1)),
    idleTimeout: POOL_IDLE_MS,
    queueLimit: config.poolSize * WAITING_PER_CONNECTION,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    maxPreparedStatements: 100,
  });
  const acquireSeconds = metrics.histogram(
    'db_pool_acquire_duration_seconds',
    'Wait for a connection from the pool, in vain or not',
    ROUND_TRIP_BUCKETS,
  );
  const querySeconds = metrics.histogram(
    'db_query_duration_seconds',
    'Time that a statement took on its connection, by its name',
    ROUND_TRIP_BUCKETS,
    ['query'],
  );
  /** Every open connection, when it was opened and when it was last given back (ms since the epoch). */
  const open = new Map<object, { openedAt: number; freedAt: number }>();
  const counts = { busy: 0, waiting: 0 };
  /** Texts whose columns are as declared. */
  const checked = new Set<string>();
  let lastResponseAt = Number.NEGATIVE_INFINITY;

  const getConnection = promisify(pool.getConnection).bind(pool);
  pool.on('connection', (connection) => {
    open.set(connection, { openedAt: Date.now(), freedAt: Date.now() });
    const forget = () => void open.delete(connection);
    connection.once('end', forget);
    // A reset socket never ends. And mysql2 may emit a second error, which without a listener would end the process.
    connection.on('error', forget);
    // Queued before the statement that made the pool connect: it runs first.
    connection.query(SESSION_SETUP, (error) => {
      if (!error) return;
      logger.error({ err: error }, 'database session could not be set up');
      forget();
      connection.destroy();
    });
  });

  function isTooOld(connection: PoolConnection): boolean {
    const known = open.get(connection);
    if (!known) return true;
    return Date.now() - known.openedAt > config.maxLifetimeSeconds * 1000 || Date.now() - known.freedAt > POOL_IDLE_MS;
  }

  function destroy(connection: PoolConnection): void {
    open.delete(connection);
    connection.destroy();
  }

  function release(connection: PoolConnection): void {
    const known = open.get(connection);
    if (known) known.freedAt = Date.now();
    if (isTooOld(connection)) destroy(connection);
    else connection.release();
  }

  const isServerAlive = (): boolean => performance.now() - lastResponseAt < ALIVE_MS;

  async function nextConnection(deadline: number): Promise<PoolConnection> {
    const pending = getConnection();
    // The pool still hands over a late connection some time: it goes straight back.
    return beforeDeadline(deadline, pending, () => {
      pending.then(release, () => undefined);
      const isConnecting = open.size < config.poolSize;
      return isConnecting && !isServerAlive() ? databaseUnavailable() : databaseBusy();
    });
  }

  const events: SessionEvents = {
    answered: () => {
      lastResponseAt = performance.now();
    },
    timed: (query, seconds) => querySeconds.observe({ query }, seconds),
    described(statement, text, fields) {
      if (!config.checkColumns || checked.has(text)) return;
      assertColumns(statement, fields);
      checked.add(text);
    },
  };

  async function acquire(deadline: number): Promise<PoolConnection> {
    const start = performance.now();
    counts.waiting += 1;
    try {
      for (;;) {
        const connection = await nextConnection(Math.min(deadline, Date.now() + ACQUIRE_TIMEOUT_MS));
        if (!isTooOld(connection)) return connection;
        destroy(connection);
      }
    } catch (error) {
      throw queueIsFull(error) ? databaseBusy({ cause: error }) : error;
    } finally {
      counts.waiting -= 1;
      acquireSeconds.observe((performance.now() - start) / 1000);
    }
  }

  /** Why a call has come to its deadline: the server does not answer, or it is alive and the call has to wait or is slow. */
  function deadlineError(session: Session): Error {
    const since = session.runningSince();
    if (since !== undefined && !isServerAlive()) return noResponse();
    const isSlow = since !== undefined && performance.now() - since >= STATEMENT_MS;
    return new DeadlineError(isSlow ? queryTimeout : databaseBusy, session.end());
  }

  /** Frees the connection, once the statement that is running has ended: the server ends it within its own limits. */
  async function giveBack(connection: PoolConnection, session: Session, broken: boolean): Promise<void> {
    let usable = !broken && session.isClean();
    if (usable) {
      usable = await beforeDeadline(Date.now() + STATEMENT_MS, session.end(), noResponse).then(
        () => session.isClean(),
        () => false,
      );
    } else void session.end();
    counts.busy -= 1;
    if (usable) release(connection);
    else destroy(connection);
  }

  return {
    async lend(deadline, work) {
      const connection = await acquire(deadline);
      counts.busy += 1;
      const session = openSession(connection, events);
      try {
        // Not mysql2's own query timeout: that starts only after the statement before it and its preparation.
        const result = await beforeDeadline(deadline, work(session), () => deadlineError(session));
        await giveBack(connection, session, false);
        return result;
      } catch (error) {
        const givenBack = giveBack(connection, session, isConnectionError(error));
        // After a deadline the client must not wait any longer.
        if (!(error instanceof DeadlineError)) await givenBack;
        throw error;
      }
    },
    stats: () => ({
      limit: config.poolSize,
      open: open.size,
      idle: Math.max(0, open.size - counts.busy),
      waiting: counts.waiting,
    }),
    async close() {
      const closed = promisify(pool.end)
        .call(pool)
        .catch((error) => logger.warn({ err: error }, 'the database pool did not close cleanly'));
      await withTimeout(closed, CLOSE_TIMEOUT_MS, () => undefined);
    },
  };
}

const queueIsFull = (error: unknown): boolean => error instanceof Error && error.message === 'Queue limit reached.';

const noResponse = (): Error => Object.assign(new Error('no answer from the database in time'), { code: 'ETIMEDOUT' });
