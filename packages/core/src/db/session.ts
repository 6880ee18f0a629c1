import type { PoolConnection, QueryError, ResultSetHeader } from 'mysql2';
import { contentionReason, isConnectionError } from './errors';
import { bindable, type Sql, type SqlValue } from './sql';

/** Hands a statement to mysql2, which calls back. */
type Send = (done: (error: QueryError | null, result: unknown) => void) => void;

/** Told of each statement's time on its connection. */
export type ObserveQuery = (query: string, seconds: number) => void;

/** What counts for statements that no repository named: probes, jobs' own, tests'. */
const UNNAMED = 'other';

/** One borrowed connection, and what went wrong on it. */
export interface Session {
  sql: Sql;
  /** A statement without values and without rows, such as COMMIT. */
  command(statement: string): Promise<void>;
  /** Undoes an open transaction. Never rejects: where it fails, the connection is not clean. */
  rollback(): Promise<void>;
  /** The first error that undid the transaction or broke the connection, whatever was made of it since. */
  failure(): unknown;
  /** Whether the connection may be lent again. */
  isClean(): boolean;
  /** Refuses every later statement: the connection belongs to somebody else soon. */
  end(): void;
}

export function openSession(connection: PoolConnection, observe: ObserveQuery): Session {
  let failed: unknown;
  let clean = true;
  let ended = false;

  function note(error: QueryError): void {
    if (isConnectionError(error)) clean = false;
    if (!clean || contentionReason(error)) failed ??= error;
  }

  const noting = (send: Send): Promise<unknown> =>
    answerOf((done) => {
      send((error, result) => {
        if (error) note(error);
        done(error, result);
      });
    });

  const run = (query: string, statement: string, values: SqlValue[] = []): Promise<unknown> =>
    noting((done) => {
      if (ended) throw new Error('a statement came after the end of its transaction');
      const start = performance.now();
      connection.execute(statement, values.map(bindable), (error, result) => {
        observe(query, (performance.now() - start) / 1000);
        done(error, result);
      });
    });

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

  return {
    sql: sqlFor(UNNAMED),
    async command(statement) {
      await noting((done) => connection.query(statement, done));
    },
    rollback: async () => {
      await answerOf((done) => connection.query('ROLLBACK', done)).catch(() => {
        clean = false;
      });
    },
    failure: () => failed,
    isClean: () => clean,
    end: () => {
      ended = true;
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
