import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createPool, type PoolConnection } from 'mysql2';
import type { DatabaseConfig } from '../config/core-config';
import { beforeDeadline } from '../deadline';
import { databaseBusy } from '../errors/common-errors';
import type { Logger } from '../log/logger';
import type { Metrics } from '../metrics/metrics';
import { isConnectionError } from './errors';
import { openSession, type Session } from './session';

const CONNECT_TIMEOUT_MS = 2000;
/** Waiting for a free connection longer than this means overload: shed instead of queueing. */
const ACQUIRE_TIMEOUT_MS = 2000;
/** A burst that is served in about 200 ms. Without Redis, 300 readers who come at once must all be served. */
const WAITING_PER_CONNECTION = 30;

/** InnoDB waits 50 s for a lock by default, and a statement may run for ever; the comments are each server's own dialect. */
const SESSION_SETUP =
  "SET time_zone = '+00:00', innodb_lock_wait_timeout = 2, " +
  "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' " +
  '/*M! , max_statement_time = 3 */ /*!80000 , max_execution_time = 3000 */';

export interface PoolFigures {
  limit: number;
  open: number;
  idle: number;
  waiting: number;
}

export interface ConnectionPool {
  /**
   * Lends `work` a connection until `deadline` (ms since the epoch). Afterwards it is free again, or destroyed where its
   * state is unknown.
   */
  lend<T>(deadline: number, work: (session: Session) => Promise<T>): Promise<T>;
  figures(): PoolFigures;
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
    idleTimeout: 60_000,
    queueLimit: config.poolSize * WAITING_PER_CONNECTION,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    maxPreparedStatements: 100,
  });
  /** Every open connection and when it was opened. */
  const open = new Map<object, number>();
  const counts = { busy: 0, waiting: 0 };

  const getConnection = promisify(pool.getConnection).bind(pool);
  pool.on('connection', (connection) => {
    open.set(connection, Date.now());
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

  const isTooOld = (connection: PoolConnection): boolean =>
    Date.now() - (open.get(connection) ?? 0) > config.maxLifetimeSeconds * 1000;

  function destroy(connection: PoolConnection): void {
    open.delete(connection);
    connection.destroy();
  }

  const release = (connection: PoolConnection): void =>
    isTooOld(connection) ? destroy(connection) : connection.release();

  async function nextConnection(deadline: number): Promise<PoolConnection> {
    const pending = getConnection();
    // The pool still hands over a late connection some time: it goes straight back.
    return beforeDeadline(deadline, pending, () => {
      pending.then(release, () => undefined);
      return databaseBusy();
    });
  }

  const observe = (query: string, seconds: number): void => metrics.dbQuery.observe({ query }, seconds);

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
      metrics.dbAcquire.observe((performance.now() - start) / 1000);
    }
  }

  return {
    async lend(deadline, work) {
      const connection = await acquire(deadline);
      counts.busy += 1;
      const session = openSession(connection, observe);
      let broken = false;
      try {
        // Not mysql2's own query timeout: that starts only after the statement before it and its preparation.
        return await beforeDeadline(deadline, work(session), noAnswer);
      } catch (error) {
        broken = isConnectionError(error);
        throw error;
      } finally {
        session.end();
        counts.busy -= 1;
        if (broken || !session.isClean()) destroy(connection);
        else release(connection);
      }
    },
    figures: () => ({
      limit: config.poolSize,
      open: open.size,
      idle: Math.max(0, open.size - counts.busy),
      waiting: counts.waiting,
    }),
    async close() {
      const closed = promisify(pool.end)
        .call(pool)
        .catch((error) => logger.warn({ err: error }, 'the database pool did not close cleanly'));
      await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
    },
  };
}

const queueIsFull = (error: unknown): boolean => error instanceof Error && error.message === 'Queue limit reached.';

const noAnswer = (): Error => Object.assign(new Error('no answer from the database in time'), { code: 'ETIMEDOUT' });
