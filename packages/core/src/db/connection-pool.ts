import { databaseBusy, databaseUnavailable, queryTimeout } from '../errors';
import type { Logger } from '../log';
import { type Metrics, ROUND_TRIP_BUCKETS } from '../metrics';
import { beforeDeadline, withTimeout } from '../time';
import { type ConnectionConfig, openConnection, POOL_IDLE_MS, type PooledConnection, STATEMENT_MS } from './connection';
import { DeadlineError, databaseError, isConnectionError } from './errors';
import { openSession, type Session, type SessionEvents } from './session';
import { assertColumns } from './statement';

const CLOSE_TIMEOUT_MS = 1000;
/** Waiting for a free connection longer than this means overload: reject the call instead of queueing it. */
const ACQUIRE_TIMEOUT_MS = 2000;
/** The pool serves a queue of this length in about 200 ms. Without Redis, 300 simultaneous reads must all be served. */
const WAITING_PER_CONNECTION = 30;
/** More idle connections than configured are kept this long, because the next burst needs them again. */
const SURPLUS_IDLE_MS = 5000;
const TRIM_INTERVAL_MS = 1000;
/** A caller that has waited longer than this gets the next connection, in whatever mode. */
const PATIENCE_MS = 25;
/** A server that responded to any statement within this time is alive. */
const ALIVE_MS = 1000;

export interface DatabaseConfig extends ConnectionConfig {
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

/** What a call needs a connection for. */
interface Purpose {
  /** ms since the epoch */
  deadline: number;
  /** Whether each statement is a database transaction of its own. */
  autocommit: boolean;
}

interface ConnectionPool {
  /**
   * Lends `work` a connection until the deadline. Afterwards an open database transaction is rolled back, and the connection
   * returns to the pool, or is destroyed if its state is unknown.
   */
  lend<T>(purpose: Purpose, work: (session: Session) => Promise<T>): Promise<T>;
  stats(): PoolStats;
  /** How long the oldest waiting caller has waited. 0: none waits. */
  waitMs(): number;
  /** Whether the server responded to any statement within the last second. */
  isServerAlive(): boolean;
  close(): Promise<void>;
}

/** A caller that waits for a connection. */
interface Waiter {
  /** performance.now() */
  since: number;
  autocommit: boolean;
  resolve(connection: PooledConnection): void;
  reject(error: unknown): void;
}

/**
 * Connections with a deadline for each wait and each call, a maximum lifetime, and metrics. A connection keeps its autocommit
 * mode, so that most database transactions need no statement to begin. See docs/decisions/0053-connection-pool.md.
 */
export function createConnectionPool(
  config: DatabaseConfig,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): ConnectionPool {
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
  const open = new Set<PooledConnection>();
  /** The last one was used last. */
  const idle: PooledConnection[] = [];
  /** The number of connections that are being opened. */
  let opening = 0;
  /** The oldest first. */
  const waiting = new Set<Waiter>();
  let isClosed = false;
  /** SQL texts whose columns were found to be as declared. */
  const checkedTexts = new Set<string>();
  let lastResponseAt = Number.NEGATIVE_INFINITY;

  const isServerAlive = (): boolean => performance.now() - lastResponseAt < ALIVE_MS;

  const isTooOld = ({ openedAt, releasedAt }: PooledConnection, now: number): boolean =>
    now - openedAt > config.maxLifetimeSeconds * 1000 || now - releasedAt > POOL_IDLE_MS;

  function remove(connection: PooledConnection): void {
    open.delete(connection);
    const index = idle.indexOf(connection);
    if (index >= 0) idle.splice(index, 1);
    openForWaiting();
  }

  function destroy(connection: PooledConnection): void {
    connection.driver.destroy();
    remove(connection);
  }

  /** Opens connections for the callers that wait, as far as the limit allows. */
  function openForWaiting(): void {
    while (waiting.size > opening && open.size + opening < config.poolSize) {
      opening += 1;
      const since = performance.now();
      openConnection(config, remove).then(onOpened, (error) => onNotOpened(error, since));
    }
  }

  function onOpened(connection: PooledConnection): void {
    opening -= 1;
    open.add(connection);
    if (isClosed) destroy(connection);
    else hand(connection);
  }

  /** @param since when it began to open. A caller that came later gets another one */
  function onNotOpened(error: unknown, since: number): void {
    opening -= 1;
    const isKnown = databaseError(error) !== undefined;
    if (!isKnown) logger.error({ err: error }, 'could not set up a database connection, closing it');
    const [oldest] = waiting;
    if (oldest && oldest.since <= since) oldest.reject(isKnown ? error : databaseUnavailable({ cause: error }));
    openForWaiting();
  }

  function hand(connection: PooledConnection): void {
    const waiter = nextWaiter(connection);
    if (waiter) waiter.resolve(connection);
    else idle.push(connection);
  }

  /** The oldest that wants the connection's mode, unless another one has waited for long. */
  function nextWaiter({ autocommit }: PooledConnection): Waiter | undefined {
    const [oldest] = waiting;
    if (!oldest || performance.now() - oldest.since > PATIENCE_MS) return oldest;
    for (const waiter of waiting) if (waiter.autocommit === autocommit) return waiter;
    return oldest;
  }

  function release(connection: PooledConnection): void {
    const now = Date.now();
    connection.releasedAt = now;
    if (isTooOld(connection, now) || isClosed) destroy(connection);
    else if (open.has(connection)) hand(connection);
  }

  /** Prefers connections in the right mode, and then the one that was used last, so that surplus ones grow old. */
  function takeIdle(autocommit: boolean): PooledConnection | undefined {
    const now = Date.now();
    while (idle.length > 0) {
      const inMode = idle.findLastIndex((connection) => connection.autocommit === autocommit);
      const [connection] = idle.splice(inMode, 1);
      if (!connection || !isTooOld(connection, now)) return connection;
      destroy(connection);
    }
    return undefined;
  }

  /** Closes the connections that have been idle for too long, the oldest first. */
  function trim(): void {
    const now = Date.now();
    const isSurplus = ({ releasedAt }: PooledConnection): boolean =>
      idle.length > config.maxIdle && now - releasedAt > SURPLUS_IDLE_MS;
    for (let [oldest] = idle; oldest && (isSurplus(oldest) || isTooOld(oldest, now)); [oldest] = idle) destroy(oldest);
  }
  const trimTimer = setInterval(trim, TRIM_INTERVAL_MS).unref();

  /** Rejects at the deadline, or earlier if the caller would have to wait for too long. */
  function waitForConnection({ deadline, autocommit }: Purpose): Promise<PooledConnection> {
    if (isClosed || waiting.size >= config.poolSize * WAITING_PER_CONNECTION) {
      acquireSeconds.observe(0);
      throw isClosed ? poolClosed() : databaseBusy();
    }
    return new Promise(function wait(resolve, reject) {
      const since = performance.now();
      function leave(): void {
        clearTimeout(timer);
        waiting.delete(waiter);
        acquireSeconds.observe((performance.now() - since) / 1000);
      }
      const waiter: Waiter = {
        since,
        autocommit,
        resolve(connection) {
          leave();
          resolve(connection);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      function onTimeout(): void {
        waiter.reject(opening > 0 && !isServerAlive() ? databaseUnavailable() : databaseBusy());
      }
      const timer = setTimeout(onTimeout, Math.max(1, Math.min(deadline - Date.now(), ACQUIRE_TIMEOUT_MS)));
      waiting.add(waiter);
      openForWaiting();
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

  /** Why a call missed its deadline: no response, a slow statement, or a lock that another call holds. */
  function deadlineError(session: Session): Error {
    const since = session.runningSince();
    if (since !== undefined && !isServerAlive()) return noResponse();
    const isSlow = since !== undefined && performance.now() - since >= STATEMENT_MS;
    return new DeadlineError(isSlow ? queryTimeout : databaseBusy, session.end());
  }

  /** Releases the connection once its running statement has ended. The server ends a statement within its own limits. */
  async function returnOnceEnded(connection: PooledConnection, session: Session, broken: boolean): Promise<void> {
    let usable = !broken && session.isClean();
    if (usable) {
      usable = await beforeDeadline(Date.now() + STATEMENT_MS, session.end(), noResponse).then(
        () => session.isClean(),
        () => false,
      );
    } else void session.end();
    if (usable) release(connection);
    else destroy(connection);
  }

  return {
    async lend(purpose, work) {
      const { deadline, autocommit } = purpose;
      let connection = takeIdle(autocommit);
      if (connection) acquireSeconds.observe(0);
      else connection = await waitForConnection(purpose);
      const session = openSession(connection, events);
      try {
        const working = connection.autocommit === autocommit ? work(session) : switchAndWork(session, autocommit, work);
        // mysql2's own query timeout is no help: it starts only after the previous statement and the preparation.
        const result = await beforeDeadline(deadline, working, () => deadlineError(session));
        if (session.endIfIdle()) release(connection);
        else await returnOnceEnded(connection, session, false);
        return result;
      } catch (error) {
        const returned = returnOnceEnded(connection, session, isConnectionError(error));
        // Once the deadline has passed, the client must not wait any longer.
        if (!(error instanceof DeadlineError)) await returned;
        throw error;
      }
    },
    stats: () => ({ limit: config.poolSize, open: open.size, idle: idle.length, waiting: waiting.size }),
    isServerAlive,
    waitMs() {
      const [oldest] = waiting;
      return oldest ? performance.now() - oldest.since : 0;
    },
    async close() {
      isClosed = true;
      clearInterval(trimTimer);
      for (const waiter of waiting) waiter.reject(poolClosed());
      const closed = Promise.all([...open].map(quit)).catch((error) =>
        logger.warn({ err: error }, 'the database pool did not close cleanly'),
      );
      await withTimeout(closed, CLOSE_TIMEOUT_MS, () => undefined);
    },
  };
}

async function switchAndWork<T>(
  session: Session,
  autocommit: boolean,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  await session.setAutocommit(autocommit);
  return await work(session);
}

/** Closes a connection once its running statements have ended. */
const quit = ({ driver }: PooledConnection): Promise<void> =>
  new Promise((resolve, reject) => driver.end((error) => (error ? reject(error) : resolve())));

const poolClosed = (): Error => Object.assign(new Error('the database pool is closed'), { code: 'POOL_CLOSED' });

const noResponse = (): Error => Object.assign(new Error('the database did not respond in time'), { code: 'ETIMEDOUT' });
