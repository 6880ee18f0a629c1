import { setTimeout as sleep } from 'node:timers/promises';
import { databaseBusy, databaseUnavailable, errorCode } from '../errors';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { withTimeout } from '../time';
import { int } from './columns';
import { LOCK_WAIT_MS } from './connection';
import { createConnectionPool, type DatabaseConfig, type PoolStats } from './connection-pool';
import { explainForOperators } from './connection-problem';
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

/** From the first wait for a connection to the last response, retries included. A client gets its 503 within 3 s. */
const OPERATION_TIMEOUT_MS = 2800;

export const operationDeadline = (): number => Date.now() + OPERATION_TIMEOUT_MS;
const MAX_ATTEMPTS = 4;

export interface Database extends Sql {
  /**
   * Runs `work` in one database transaction on one connection. After a deadlock, a lock wait timeout or a connection lost
   * before COMMIT, everything is rolled back and `work` runs again (at most 3 retries, with jitter). So `work` must have no
   * effect outside the database transaction.
   * @param deadline ms since the epoch; by default the deadline of an operation that starts now
   * @throws AppError `database_busy`, `database_unavailable`, `query_timeout`; or whatever `work` throws, after a rollback
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, deadline?: number): Promise<T>;
  /** Runs a write that is safe to run twice. It is retried if its response is lost. */
  writeRepeatable(statement: Statement, values?: SqlValues): Promise<WriteResult>;
  stats(): PoolStats;
  /** How long the oldest call that waits for a connection has waited. 0: none waits. */
  waitMs(): number;
  /** Whether the server responded to any statement within the last second. */
  isResponding(): boolean;
  close(): Promise<void>;
}

interface DatabaseDeps {
  logger: Logger;
  metrics: Metrics;
  /** Awaited before a write fails because its response was lost. The write may have been committed. */
  onLostResponse?: () => Promise<void>;
}

/** Returns why a failed call may be retried, or undefined if it may not. */
type RetryReason = (error: unknown) => string | undefined;

interface CallOptions {
  /** Whether each statement is a database transaction of its own. */
  autocommit: boolean;
  retryReason: RetryReason;
  /** Whether a write outside a database transaction or a COMMIT was already sent. Default: never. */
  mayHaveWritten?: () => boolean;
  deadline?: number | undefined;
}

/** For calls that leave no effect when their connection is lost. */
const contentionOrLoss: RetryReason = (error) => contentionReason(error) ?? lossReason(error);

/** A single statement that may run twice. */
const REPEATABLE: CallOptions = { autocommit: true, retryReason: contentionOrLoss };

/** The time that a retry needs before the deadline. After a lock wait timeout it includes another lock wait. */
const retryTimeMs = (reason: string): number => (reason === 'lock_wait_timeout' ? LOCK_WAIT_MS + 200 : 100);

/** A database with a deadline for each call, safe retries, and errors that can be sent to the client. */
export function createDatabase(config: DatabaseConfig, { logger, metrics, onLostResponse }: DatabaseDeps): Database {
  const pool = createConnectionPool(config, { logger, metrics });
  const retries = metrics.counter(
    {
      name: 'db_transaction_retries_total',
      help: 'Database calls retried after a deadlock, a lock wait timeout or a lost connection',
      labelNames: ['reason'],
    },
    retryReasons.map((reason) => ({ reason })),
  );
  const errors = metrics.counter(
    {
      name: 'db_errors_total',
      help: 'Database calls that failed with 503, by error code: database unavailable, busy, too slow or without its schema',
      labelNames: ['code'],
    },
    databaseErrorCodes.map((code) => ({ code })),
  );
  metrics.gauge('db_pool_connections_limit', 'Maximum number of open connections', () => pool.stats().limit);
  metrics.gauge('db_pool_connections_open', 'Open connections, idle or busy', () => pool.stats().open);
  metrics.gauge('db_pool_connections_idle', 'Open connections not in use', () => pool.stats().idle);
  metrics.gauge('db_pool_connections_busy', 'Connections in use', () => pool.stats().open - pool.stats().idle);
  metrics.gauge('db_pool_waiting', 'Callers waiting for a pooled connection', () => pool.stats().waiting);

  /** Runs `work` with a connection and retries it if that is safe. Maps database failures to 503 errors and counts them. */
  async function call<T>(
    { autocommit, retryReason, mayHaveWritten, deadline = operationDeadline() }: CallOptions,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.lend({ deadline, autocommit }, work);
      } catch (error) {
        const reason = retryReason(error);
        if (!reason || attempt === MAX_ATTEMPTS || Date.now() > deadline - retryTimeMs(reason)) {
          if (mayHaveWritten?.() && mayHaveBeenWritten(error)) {
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
    rows(statement, values) {
      return call(REPEATABLE, function readRows({ sql }) {
        return sql.rows(statement, values);
      });
    },
    row(statement, values) {
      return call(REPEATABLE, function readRow({ sql }) {
        return sql.row(statement, values);
      });
    },
    write(statement, values) {
      let sent = false;
      const retryReason: RetryReason = (error) => (sent ? contentionReason(error) : contentionOrLoss(error));
      return call({ autocommit: true, retryReason, mayHaveWritten: () => sent }, function writeOnce({ sql }) {
        sent = true;
        return sql.write(statement, values);
      });
    },
    transaction(work, deadline) {
      let committing = false;
      // If the response to COMMIT is lost, the database transaction may have been committed.
      const retryReason: RetryReason = (error) => (committing ? contentionReason(error) : contentionOrLoss(error));
      return call(
        { autocommit: false, retryReason, mayHaveWritten: () => committing, deadline },
        function runTransaction(session) {
          committing = false;
          return inTransaction(session, work, () => {
            committing = true;
          });
        },
      );
    },
    writeRepeatable(statement, values) {
      return call(REPEATABLE, function writeAgain({ sql }) {
        return sql.write(statement, values);
      });
    },
    stats: () => pool.stats(),
    waitMs: () => pool.waitMs(),
    isResponding: () => pool.isServerAlive(),
    close: () => pool.close(),
  };
}

async function inTransaction<T>(
  session: Session,
  work: (sql: Sql) => Promise<T>,
  beforeCommit: () => void,
): Promise<T> {
  try {
    const result = await work(session.sql);
    // The server has already rolled back, even if `work` swallowed the error. Committing now would keep half of the work.
    if (session.failure()) throw session.failure();
    beforeCommit();
    await session.commit();
    return result;
  } catch (error) {
    await session.end();
    throw session.failure() ?? error;
  }
}

const PING = statement('ping', { alive: int }, 'SELECT 1 AS alive');
const PING_TIMEOUT_MS = 1000;

/**
 * Throws unless the database responds to a statement within a second. The error says why, as far as that is known. If all
 * connections are busy, the response to any other statement counts: overload must not make a service unready, or the other
 * replicas would get its share, too.
 */
export async function pingDatabase(db: Database): Promise<void> {
  const answered = db.row(PING).catch((error: unknown) => {
    if (errorCode(error) !== databaseBusy.code || !db.isResponding()) throw explainForOperators(error);
  });
  await withTimeout(answered, PING_TIMEOUT_MS, () => {
    if (!db.isResponding()) throw databaseUnavailable();
  });
}

const MAX_CONNECTIONS = statement('max_connections', { allowed: int }, 'SELECT @@max_connections AS allowed');

/** Returns a warning if the pools of all processes together exceed the server's max_connections. */
export async function poolFitProblem(db: Database, config: DatabaseConfig): Promise<string | undefined> {
  const row = await db.row(MAX_CONNECTIONS);
  const wanted = config.poolSize * config.fleetProcesses;
  if (!row || wanted <= row.allowed) return undefined;
  const fitting = Math.max(1, Math.floor((row.allowed - 10) / config.fleetProcesses));
  return (
    `DB_POOL_SIZE ${config.poolSize} x FLEET_PROCESSES ${config.fleetProcesses} = ${wanted} connections, but the server ` +
    `allows ${row.allowed} (max_connections): set DB_POOL_SIZE to ${fitting} or raise max_connections`
  );
}
