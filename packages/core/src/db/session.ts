import type { PoolConnection, QueryError, ResultSetHeader } from 'mysql2';
import { contentionReason, isConnectionError } from './errors';
import { bindable, type Sql, type SqlValue } from './sql';

/** Hands a statement to mysql2, which calls back. */
type Send = (done: (error: QueryError | null, result: unknown) => void) => void;

/** What a session reports of its statements. */
export interface SessionEvents {
  /** The server has answered, with a result or an error. */
  answered(): void;
  /** A statement's time on its connection. */
  timed(query: string, seconds: number): void;
}

/** What counts for statements that no repository named: probes, jobs' own, tests'. */
const UNNAMED = 'other';

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

export function openSession(connection: PoolConnection, { answered, timed }: SessionEvents): Session {
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

  function noting(send: Send): Promise<unknown> {
    pending += 1;
    since ??= performance.now();
    last = answerOf((done) => {
      send((error, result) => {
        pending -= 1;
        since = pending > 0 ? performance.now() : undefined;
        if (error) note(error);
        if (!error || !isConnectionError(error)) answered();
        done(error, result);
      });
    });
    return last;
  }

  function refuseWhenEnded(): void {
    if (ended) throw new Error('a statement came after the end of its transaction');
  }

  async function run(query: string, statement: string, values: SqlValue[] = []): Promise<unknown> {
    refuseWhenEnded();
    const start = performance.now();
    return noting((done) => {
      connection.execute(statement, values.map(bindable), (error, result) => {
        timed(query, (performance.now() - start) / 1000);
        done(error, result);
      });
    });
  }

  const sqlFor = (query: string): Sql => ({
    // The one place where rows get their type: the statement and the interface stand side by side in a repository.
    rows: <T>(statement: string, values?: SqlValue[]) => run(query, statement, values) as Promise<T[]>,
    write: (statement, values) =>
      run(query, statement, values).then((result) => {
        const { affectedRows, insertId } = result as ResultSetHeader;
        return { affectedRows, insertId };
      }),
    named: sqlFor,
  });

  async function finish(): Promise<void> {
    await last?.catch(() => undefined);
    if (!inTransaction || !clean) return;
    // Never give back a connection with an open transaction: the next borrower would commit it.
    await noting((done) => connection.query('ROLLBACK', done)).catch(() => {
      clean = false;
    });
  }

  return {
    sql: sqlFor(UNNAMED),
    async command(statement) {
      refuseWhenEnded();
      inTransaction = true;
      await noting((done) => connection.query(statement, done));
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
const answerOf = (send: Send): Promise<unknown> =>
  new Promise((resolve, reject) => {
    send((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
