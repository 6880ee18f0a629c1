import { setTimeout as sleep } from 'node:timers/promises';
import { databaseUnavailable } from '../errors';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { withTimeout } from '../time';
import { int } from './columns';
import { createConnectionPool, type DatabaseConfig, LOCK_WAIT_MS, type PoolStats } from './connection-pool';
import {
  contentionReason,
  DeadlineError,
  databaseError,
  databaseErrorCodes,
  lossReason,
  mayHaveBeenWritten,
  retryReasons,
} from './errors';
import type { Session } from './session';
import type { Sql, WriteResult } from './sql';
import { type SqlValues, type Statement, statement } from './statement';

/** From the first wait to the last answer, retries included: a client hears 503 within 3 s. */
const OPERATION_TIMEOUT_MS = 2800;

export const operationDeadline = (): number => Date.now() + OPERATION_TIMEOUT_MS;
const MAX_ATTEMPTS = 4;

export interface Database extends Sql {
  /**
   * Runs `work` in one database transaction on one connection. Deadlocks, lock wait timeouts and a connection that is lost
   * before COMMIT roll everything back and run `work` again (at most 3 times, with jitter), so it must have no effect
   * outside the transaction.
   * @param deadline ms since the epoch; by default that of an operation that begins now
   * @throws AppError `database_busy`, `database_unavailable`, `query_timeout`; whatever `work` throws, after a rollback
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, deadline?: number): Promise<T>;
  /** A write that may be made twice: it is made again where its answer was lost. */
  writeRepeatable(statement: Statement, values?: SqlValues): Promise<WriteResult>;
  stats(): PoolStats;
  close(): Promise<void>;
}

interface DatabaseDeps {
  logger: Logger;
  metrics: Metrics;
  /** Awaited before a write fails whose answer was lost: it may stand in the tables, and nobody knows what it touched. */
  onLostResponse?: () => Promise<void>;
}

/** Why a failed call may be made again, undefined where it may not. */
type ReasonOf = (error: unknown) => string | undefined;

/** For what leaves nothing behind when its connection is lost. */
const contentionOrLoss: ReasonOf = (error) => contentionReason(error) ?? lossReason(error);

/** Time that another attempt needs to end before the deadline: with one more wait for a lock, where the last waited. */
const timeFor = (reason: string): number => (reason === 'lock_wait_timeout' ? LOCK_WAIT_MS + 200 : 100);

/** The database with a deadline for each call, safe retries, and errors that say what to tell the client. */
export function createDatabase(config: DatabaseConfig, { logger, metrics, onLostResponse }: DatabaseDeps): Database {
  const pool = createConnectionPool(config, { logger, metrics });
  const retries = metrics.counter(
    {
      name: 'db_transaction_retries_total',
      help: 'Database calls made again after a deadlock, a lock wait timeout or a lost connection',
      labelNames: ['reason'],
    },
    retryReasons.map((reason) => ({ reason })),
  );
  const errors = metrics.counter(
    {
      name: 'db_errors_total',
      help: 'Database calls that failed because the database was away, busy or not set up',
      labelNames: ['code'],
    },
    databaseErrorCodes.map((code) => ({ code })),
  );
  metrics.gauge('db_pool_connections_limit', 'Connections the pool may open', () => pool.stats().limit);
  metrics.gauge('db_pool_connections_open', 'Connections open now', () => pool.stats().open);
  metrics.gauge('db_pool_connections_idle', 'Connections open and free now', () => pool.stats().idle);
  metrics.gauge('db_pool_connections_busy', 'Connections in use now', () => pool.stats().open - pool.stats().idle);
  metrics.gauge('db_pool_waiting', 'Callers waiting for a connection', () => pool.stats().waiting);

  /**
   * Lends `work` a connection, again where that is safe; maps what is not the caller's fault to a 503 and counts it.
   * @param mayHaveWritten whether a statement that changes something for good was on its way
   */
  async function call<T>(
    work: (session: Session) => Promise<T>,
    reasonOf: ReasonOf,
    mayHaveWritten: () => boolean = () => false,
    deadline = operationDeadline(),
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.lend(deadline, work);
      } catch (error) {
        const reason = reasonOf(error);
        if (!reason || attempt === MAX_ATTEMPTS || Date.now() > deadline - timeFor(reason)) {
          if (mayHaveWritten() && mayHaveBeenWritten(error)) {
            if (error instanceof DeadlineError) void error.settled.then(onLostResponse);
            await onLostResponse?.();
          }
          throw publicError(error);
        }
        retries.inc({ reason });
        await sleep(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  function publicError(error: unknown): unknown {
    const known = databaseError(error);
    if (known?.kind === 'unavailable') errors.inc({ code: known.code });
    return known ?? error;
  }

  return {
    async rows(statement, values) {
      return await call(async function readRows({ sql }) {
        return await sql.rows(statement, values);
      }, contentionOrLoss);
    },
    async row(statement, values) {
      return await call(async function readRow({ sql }) {
        return await sql.row(statement, values);
      }, contentionOrLoss);
    },
    async write(statement, values) {
      let sent = false;
      return await call(
        async function writeOnce({ sql }) {
          sent = true;
          return await sql.write(statement, values);
        },
        contentionReason,
        () => sent,
      );
    },
    async transaction(work, deadline) {
      let committing = false;
      return await call(
        async function runTransaction(session) {
          committing = false;
          return await inTransaction(session, work, () => {
            committing = true;
          });
        },
        // A COMMIT whose answer is lost may have been done.
        (error) => (committing ? contentionReason(error) : contentionOrLoss(error)),
        () => committing,
        deadline,
      );
    },
    async writeRepeatable(statement, values) {
      return await call(async function writeAgain({ sql }) {
        return await sql.write(statement, values);
      }, contentionOrLoss);
    },
    stats: () => pool.stats(),
    close: () => pool.close(),
  };
}

async function inTransaction<T>(
  session: Session,
  work: (sql: Sql) => Promise<T>,
  beforeCommit: () => void,
): Promise<T> {
  await session.command('START TRANSACTION');
  try {
    const result = await work(session.sql);
    // The server has rolled back already, whether or not `work` took notice: half of it must not be committed.
    if (session.failure()) throw session.failure();
    beforeCommit();
    await session.command('COMMIT');
    return result;
  } catch (error) {
    await session.end();
    throw session.failure() ?? error;
  }
}

const PING = statement('ping', { alive: int }, 'SELECT 1 AS alive');
const PING_TIMEOUT_MS = 1000;

/** Fails unless the database answers a statement within a second. */
export async function pingDatabase(db: Database): Promise<void> {
  await withTimeout(db.row(PING), PING_TIMEOUT_MS, () => {
    throw databaseUnavailable();
  });
}

const MAX_CONNECTIONS = statement('max_connections', { allowed: int }, 'SELECT @@max_connections AS allowed');

/** A warning where the fleet's pools together cannot fit the server's max_connections, else undefined. */
export async function poolFitProblem(db: Database, config: DatabaseConfig): Promise<string | undefined> {
  const row = await db.row(MAX_CONNECTIONS);
  const wanted = config.poolSize * config.fleetProcesses;
  if (!row || wanted <= row.allowed) return undefined;
  const fitting = Math.max(1, Math.floor((row.allowed - 10) / config.fleetProcesses));
  return (
    `DB_POOL_SIZE ${config.poolSize} x FLEET_PROCESSES ${config.fleetProcesses} = ${wanted} connections, but the server ` +
    `takes ${row.allowed} (max_connections): set DB_POOL_SIZE to ${fitting} or raise max_connections`
  );
}
