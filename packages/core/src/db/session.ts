import type { FieldPacket, QueryError, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { PooledConnection } from './connection';
import { contentionReason, isConnectionError } from './errors';
import type { Sql } from './sql';
import { decodeRows, type SqlValues, type Statement } from './statement';

/** Passes a statement to mysql2, which calls `done`. */
type Send<T> = (done: (error: QueryError | null, result: T) => void) => void;

type RowsOrHeader = RowDataPacket[] | ResultSetHeader;

interface StatementResult {
  result: RowsOrHeader;
  fields: FieldPacket[];
}

/** Callbacks for the statements of a session. */
export interface SessionEvents {
  /** The server responded, with a result or an error. */
  onResponse(): void;
  /**
   * Called in the asynchronous context of the caller, not of the driver.
   * @param seconds the time from sending the statement to its result
   * @param connectionId MySQL's id of the connection, as in its process list
   */
  onFinished(query: string, seconds: number, connectionId: number): void;
  /** @param fields the columns of the statement's rows, as described by the server */
  onFields(statement: Statement<unknown>, text: string, fields: readonly FieldPacket[]): void;
}

/** The use of one pooled connection by one call. */
export interface Session {
  sql: Sql;
  /** Must run before the first statement. */
  setAutocommit(on: boolean): Promise<void>;
  /** Without autocommit, the first statement has opened the database transaction. */
  commit(): Promise<void>;
  /** The first error that rolled back the database transaction or broke the connection, even if it was caught. */
  failure(): unknown;
  /** Whether the connection may return to the pool. */
  isClean(): boolean;
  /** When the running statement was sent (performance.now()); undefined if none is running. */
  runningSince(): number | undefined;
  /**
   * Rejects every later statement, waits for the running one, and rolls back an open database transaction. Never rejects: if
   * the rollback fails, the connection is not clean. May be called more than once.
   */
  end(): Promise<void>;
  /** The same, without waiting, if no statement is running and no database transaction is open. Otherwise returns false. */
  endIfIdle(): boolean;
}

export function openSession(connection: PooledConnection, events: SessionEvents): Session {
  const { driver } = connection;
  let failure: unknown;
  let clean = true;
  let ended: Promise<void> | undefined;
  let inTransaction = false;
  /** The number of statements sent and not finished. The connection processes them in order. */
  let pending = 0;
  let runningSince: number | undefined;
  let last: Promise<unknown> | undefined;

  function recordFailure(error: QueryError): void {
    if (isConnectionError(error)) clean = false;
    if (!clean || contentionReason(error)) failure ??= error;
  }

  function track<T>(send: Send<T>): Promise<T> {
    pending += 1;
    runningSince ??= performance.now();
    const result = promiseOf<T>(function sendTracked(done) {
      send((error, result) => {
        pending -= 1;
        runningSince = pending > 0 ? performance.now() : undefined;
        if (error) recordFailure(error);
        if (!error || !isConnectionError(error)) events.onResponse();
        done(error, result);
      });
    });
    last = result;
    return result;
  }

  function assertNotEnded(): void {
    if (ended) throw new Error('a statement was sent after the end of its transaction');
  }

  async function run<Row>(statement: Statement<Row>, given: SqlValues): Promise<RowsOrHeader> {
    assertNotEnded();
    inTransaction = connection.autocommit === false;
    const start = performance.now();
    const { text, values } = statement.bind(given);
    try {
      const { result, fields } = await track<StatementResult>(function execute(done) {
        driver.execute<RowsOrHeader>(text, values, (error, result, fields) => done(error, { result, fields }));
      });
      if (statement.columns) events.onFields(statement, text, fields);
      return result;
    } catch (error) {
      // The driver's stack trace starts at its socket. This one shows the callers that await the statement.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    } finally {
      events.onFinished(statement.name, (performance.now() - start) / 1000, driver.threadId);
    }
  }

  const sql: Sql = {
    async rows(statement, values = {}) {
      // The only cast to a row type. It is safe because `onFields` compares `columns` with the server's columns.
      return decodeRows(statement, (await run(statement, values)) as RowDataPacket[]);
    },
    async row(statement, values = {}) {
      const [row] = decodeRows(statement, (await run(statement, values)) as RowDataPacket[]);
      return row;
    },
    async write(statement, values = {}) {
      const { affectedRows, insertId } = (await run(statement, values)) as ResultSetHeader;
      return { affectedRows, insertId };
    },
  };

  async function finish(): Promise<void> {
    await last?.catch(() => undefined);
    if (!inTransaction || !clean) return;
    // Never return a connection with an open database transaction: the next caller would commit it.
    await track<unknown>((done) => driver.query('ROLLBACK', done)).catch(() => {
      clean = false;
    });
  }

  return {
    sql,
    async setAutocommit(on) {
      connection.autocommit = undefined;
      await track<unknown>((done) => driver.query(`SET autocommit = ${on ? 1 : 0}`, done));
      connection.autocommit = on;
    },
    async commit() {
      assertNotEnded();
      await track<unknown>((done) => driver.query('COMMIT', done));
      inTransaction = false;
    },
    failure: () => failure,
    isClean: () => clean,
    runningSince: () => runningSince,
    end: () => {
      ended ??= finish();
      return ended;
    },
    endIfIdle() {
      const isIdle = clean && pending === 0 && !inTransaction;
      if (isIdle) ended ??= DONE;
      return isIdle;
    },
  };
}

const DONE = Promise.resolve();

/** mysql2's own promises capture a stack trace for each statement, which is slow. `run` captures one on errors. */
const promiseOf = <T>(send: Send<T>): Promise<T> =>
  new Promise(function sendNow(resolve, reject) {
    send((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
