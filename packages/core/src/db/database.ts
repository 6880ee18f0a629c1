import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type Pool, type PoolConnection, type ResultSetHeader } from 'mysql2/promise';
import type { DatabaseConfig } from '../config/core-config';
import { databaseBusy, databaseUnavailable } from '../errors/common-errors';
import type { Logger } from '../log/logger';
import type { Metrics } from '../metrics/metrics';
import { databaseError, isConnectionError, retryReason } from './errors';
import { bindable, type Sql, type SqlValue } from './sql';

const CONNECT_TIMEOUT_MS = 2000;
/** Waiting for a free connection longer than this means overload: shed instead of queueing. */
const ACQUIRE_TIMEOUT_MS = 2000;
/** From the first wait to the last answer, retries included: a client hears 503 within 3 s. */
const OPERATION_TIMEOUT_MS = 2800;
const MAX_ATTEMPTS = 4;

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

export interface Database extends Sql {
  /**
   * Runs `work` in one database transaction on one connection. Deadlocks and lock wait timeouts roll everything back and
   * run `work` again (at most 3 times, with jitter), so it must have no effect outside the transaction.
   * @throws AppError `database_busy` or `database_unavailable`; whatever `work` throws, after a rollback
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  figures(): PoolFigures;
  close(): Promise<void>;
}

interface DatabaseParts {
  logger: Logger;
  metrics: Metrics;
}

/** The MySQL pool with deadlines, which mysql2 does not have: neither for getting a connection nor, safely, for a query. */
export function createDatabase(config: DatabaseConfig, { logger, metrics }: DatabaseParts): Database {
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
    maxIdle: config.maxIdle,
    idleTimeout: 60_000,
    queueLimit: config.poolSize * 4,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    maxPreparedStatements: 100,
  });
  const openedAt = new WeakMap<object, number>();
  const counts = { open: 0, busy: 0, waiting: 0 };
  pool.pool.on('connection', (connection) => {
    counts.open += 1;
    openedAt.set(connection, Date.now());
    connection.once('end', () => {
      counts.open -= 1;
    });
    // Queued before the statement that made the pool connect: it runs first.
    connection.query(SESSION_SETUP, (error) => {
      if (error) logger.error({ err: error }, 'database session could not be set up');
    });
  });
  const figures = (): PoolFigures => ({
    limit: config.poolSize,
    open: counts.open,
    idle: Math.max(0, counts.open - counts.busy),
    waiting: counts.waiting,
  });
  metrics.gauge('db_pool_connections_limit', 'Connections the pool may open', () => config.poolSize);
  metrics.gauge('db_pool_connections_open', 'Connections open now', () => counts.open);
  metrics.gauge('db_pool_connections_busy', 'Connections in use now', () => counts.busy);
  metrics.gauge('db_pool_waiting', 'Callers waiting for a connection', () => counts.waiting);

  async function acquire(deadline: number): Promise<PoolConnection> {
    counts.waiting += 1;
    const pending = pool.getConnection();
    const timeout = new AbortController();
    try {
      const limit = Math.min(ACQUIRE_TIMEOUT_MS, deadline - Date.now());
      const late = sleep(limit, undefined, { signal: timeout.signal, ref: false }).then(() => {
        // The pool still hands over a connection some time: give it straight back.
        pending.then(release, () => undefined);
        throw databaseBusy();
      });
      const connection = await Promise.race([pending, late]);
      counts.busy += 1;
      return connection;
    } finally {
      counts.waiting -= 1;
      timeout.abort();
    }
  }

  function release(connection: PoolConnection): void {
    const opened = openedAt.get(connection.connection) ?? 0;
    if (Date.now() - opened > config.maxLifetimeSeconds * 1000) connection.destroy();
    else connection.release();
  }

  /** Runs `work` with a connection; afterwards it is released, or destroyed where its state is unknown. */
  async function withConnection<T>(deadline: number, work: (connection: PoolConnection) => Promise<T>): Promise<T> {
    const connection = await acquire(deadline);
    let broken = false;
    try {
      return await work(connection);
    } catch (error) {
      broken = isConnectionError(error);
      throw error;
    } finally {
      counts.busy -= 1;
      if (broken) connection.destroy();
      else release(connection);
    }
  }

  const sqlOn = (connection: PoolConnection, deadline: number): Sql => {
    const run = async (statement: string, values: SqlValue[] = []) => {
      const timeout = Math.max(1, deadline - Date.now());
      const [result] = await connection.execute({ sql: statement, timeout }, values.map(bindable));
      return result;
    };
    return {
      // The one place where rows get their type: the statement and the interface stand side by side in a repository.
      rows: async <T>(statement: string, values?: SqlValue[]) => (await run(statement, values)) as T[],
      write: async (statement, values) => {
        const { affectedRows, insertId } = (await run(statement, values)) as ResultSetHeader;
        return { affectedRows, insertId };
      },
    };
  };

  /** Maps what is not the caller's fault to a 503 and counts it. */
  async function guarded<T>(work: (deadline: number) => Promise<T>): Promise<T> {
    try {
      return await work(Date.now() + OPERATION_TIMEOUT_MS);
    } catch (error) {
      const known = queueIsFull(error) ? databaseBusy({ cause: error }) : databaseError(error);
      if (known?.kind === 'unavailable') metrics.dbErrors.inc({ code: known.code });
      throw known ?? error;
    }
  }

  const runTransaction = <T>(deadline: number, work: (sql: Sql) => Promise<T>): Promise<T> =>
    withConnection(deadline, async (connection) => {
      const timeout = Math.max(1, deadline - Date.now());
      await connection.query({ sql: 'START TRANSACTION', timeout });
      try {
        const result = await work(sqlOn(connection, deadline));
        await connection.query({ sql: 'COMMIT', timeout: Math.max(1, deadline - Date.now()) });
        return result;
      } catch (error) {
        // Never give back a connection with an open transaction: the next borrower would commit it.
        if (!isConnectionError(error)) await rollback(connection);
        throw error;
      }
    });

  async function transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return guarded(async (deadline) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await runTransaction(deadline, work);
        } catch (error) {
          const reason = retryReason(error);
          if (!reason || attempt === MAX_ATTEMPTS || Date.now() > deadline - 100) throw error;
          metrics.dbRetries.inc({ reason });
          await sleep(Math.random() * 10 * 2 ** attempt);
        }
      }
    });
  }

  return {
    rows: (statement, values) =>
      guarded((deadline) =>
        withConnection(deadline, (connection) => sqlOn(connection, deadline).rows(statement, values)),
      ),
    write: (statement, values) =>
      guarded((deadline) =>
        withConnection(deadline, (connection) => sqlOn(connection, deadline).write(statement, values)),
      ),
    transaction,
    figures,
    close: () => closePool(pool, logger),
  };
}

const queueIsFull = (error: unknown): boolean => error instanceof Error && error.message === 'Queue limit reached.';

async function rollback(connection: PoolConnection): Promise<void> {
  try {
    await connection.query({ sql: 'ROLLBACK', timeout: 1000 });
  } catch {
    connection.destroy();
  }
}

async function closePool(pool: Pool, logger: Logger): Promise<void> {
  const closed = pool.end().catch((error) => logger.warn({ err: error }, 'the database pool did not close cleanly'));
  await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
}

/** Fails unless the database answers a statement within a second. */
export async function pingDatabase(db: Database): Promise<void> {
  await Promise.race([
    db.rows('SELECT 1'),
    sleep(1000, undefined, { ref: false }).then(() => {
      throw databaseUnavailable();
    }),
  ]);
}

/** A warning where the fleet's pools together cannot fit the server's max_connections, else undefined. */
export async function poolFitProblem(db: Database, config: DatabaseConfig): Promise<string | undefined> {
  const [row] = await db.rows<{ allowed: number }>('SELECT @@max_connections AS allowed');
  const wanted = config.poolSize * config.fleetProcesses;
  if (!row || wanted <= Number(row.allowed)) return undefined;
  const fitting = Math.max(1, Math.floor((Number(row.allowed) - 10) / config.fleetProcesses));
  return (
    `DB_POOL_SIZE ${config.poolSize} x FLEET_PROCESSES ${config.fleetProcesses} = ${wanted} connections, but the server ` +
    `takes ${row.allowed} (max_connections): set DB_POOL_SIZE to ${fitting} or raise max_connections`
  );
}
