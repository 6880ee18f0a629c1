import type { FieldPacket, PoolConnection, QueryError, ResultSetHeader, RowDataPacket } from 'mysql2';
import { contentionReason, isConnectionError } from './errors';
import type { Sql } from './sql';
import { decodeRows, type SqlValues, type Statement } from './statement';

/** Hands a statement to mysql2, which calls back. */
type Send<T> = (done: (error: QueryError | null, result: T) => void) => void;

type RowsOrHeader = RowDataPacket[] | ResultSetHeader;

interface Answer {
  result: RowsOrHeader;
  fields: FieldPacket[];
}

/** What a session reports of its statements. */
export interface SessionEvents {
  /** The server has answered, with a result or an error. */
  answered(): void;
  /** A statement's time on its connection. */
  timed(query: string, seconds: number): void;
  /** The columns of a statement's rows. */
  described(statement: Statement<unknown>, text: string, fields: readonly FieldPacket[]): void;
}

/** One borrowed connection, and what went wrong on it. */
export interface Session {
  sql: Sql;
  /** A statement without values and without rows, such as COMMIT. */
  command(statement: 'START TRANSACTION' | 'COMMIT'): Promise<void>;
  /** The first error that undid the transaction or broke the connection, whatever was made of it since. */
  failure(): unknown;
  /** Whether the connection may be lent again. */
  isClean(): boolean;
  /** When the statement that the server is working on was sent (performance.now()); undefined: there is none. */
  runningSince(): number | undefined;
  /**
   * Refuses every later statement, waits for the one that is running, and rolls back an open transaction. Never rejects:
   * where the rollback fails, the connection is not clean. Safe to call again.
   */
  end(): Promise<void>;
}

export function openSession(connection: PoolConnection, { answered, timed, described }: SessionEvents): Session {
  let failed: unknown;
  let clean = true;
  let ended: Promise<void> | undefined;
  let inTransaction = false;
  /** Statements sent and not yet answered; the connection answers them in order. */
  let pending = 0;
  let since: number | undefined;
  let last: Promise<unknown> | undefined;

  function note(error: QueryError): void {
    if (isConnectionError(error)) clean = false;
    if (!clean || contentionReason(error)) failed ??= error;
  }

  function noting<T>(send: Send<T>): Promise<T> {
    pending += 1;
    since ??= performance.now();
    const answer = promiseOf<T>(function sendNoting(done) {
      send((error, result) => {
        pending -= 1;
        since = pending > 0 ? performance.now() : undefined;
        if (error) note(error);
        if (!error || !isConnectionError(error)) answered();
        done(error, result);
      });
    });
    last = answer;
    return answer;
  }

  function refuseWhenEnded(): void {
    if (ended) throw new Error('a statement came after the end of its transaction');
  }

  async function run<Row>(statement: Statement<Row>, given: SqlValues): Promise<RowsOrHeader> {
    refuseWhenEnded();
    const start = performance.now();
    const { text, values } = statement.bind(given);
    try {
      const { result, fields } = await noting<Answer>(function execute(done) {
        connection.execute<RowsOrHeader>(text, values, (error, result, fields) => {
          timed(statement.name, (performance.now() - start) / 1000);
          done(error, { result, fields });
        });
      });
      if (statement.columns) described(statement, text, fields);
      return result;
    } catch (error) {
      // The driver's own stack begins at its socket; this one names those who wait for the statement.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    }
  }

  const sql: Sql = {
    async rows(statement, values = {}) {
      // The one place where rows get their type: `columns` say it, and `described` compares them with the server's.
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
    // Never give back a connection with an open transaction: the next borrower would commit it.
    await noting<unknown>((done) => connection.query('ROLLBACK', done)).catch(() => {
      clean = false;
    });
  }

  return {
    sql,
    async command(statement) {
      refuseWhenEnded();
      inTransaction = true;
      await noting<unknown>((done) => connection.query(statement, done));
      inTransaction = statement === 'START TRANSACTION';
    },
    failure: () => failed,
    isClean: () => clean,
    runningSince: () => since,
    end: () => {
      ended ??= finish();
      return ended;
    },
  };
}

/** mysql2's promises take a stack trace for each statement, which costs more than it tells: the request id finds the way. */
const promiseOf = <T>(send: Send<T>): Promise<T> =>
  new Promise(function sendNow(resolve, reject) {
    send((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
