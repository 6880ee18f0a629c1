import { type Database, lockInIdOrder, type Sql } from '../db';
import { notFound, preconditionFailed } from '../errors';

/** The If-Match condition of a write: whether the resource is still as the client knows it. undefined: no condition. */
export type IfMatch<T> = ((current: T) => boolean) | undefined;

/** The row of a resource. */
interface ResourceRow<T> {
  table: string;
  id: number;
  /** Reads what a GET of the resource shows. May throw the same errors. */
  find: (sql: Sql, id: number) => Promise<T | undefined>;
  /** Rows that the write changes, too, and whose locks come before that of the resource. */
  lockFirst?: { table: string; ids: number[] };
}

/** @throws AppError `precondition_failed` if the resource is not as the client knows it */
export function assertMatches<T>(ifMatch: IfMatch<T>, current: T): void {
  if (ifMatch && !ifMatch(current)) throw preconditionFailed();
}

/**
 * Locks the row, then compares. So no other write can come between the comparison and the end of the database transaction.
 * Without a condition it does nothing.
 * @param sql a database transaction whose earlier statements only lock
 * @throws AppError `not_found`, `precondition_failed`
 */
export async function assertUnchanged<T>(
  sql: Sql,
  ifMatch: IfMatch<T>,
  { table, id, find }: ResourceRow<T>,
): Promise<void> {
  if (!ifMatch) return;
  await lockInIdOrder(sql, table, [id]);
  const current = await find(sql, id);
  if (current === undefined) throw notFound();
  assertMatches(ifMatch, current);
}

/**
 * Runs a write of one statement: in a database transaction if other locks or the comparison with the condition come before it;
 * otherwise directly.
 */
export async function writeIfUnchanged<T, R>(
  db: Pick<Database, keyof Sql | 'transaction'>,
  ifMatch: IfMatch<T>,
  row: ResourceRow<T>,
  write: (sql: Sql) => Promise<R>,
): Promise<R> {
  const { lockFirst } = row;
  if (!ifMatch && !lockFirst?.ids.length) return await write(db);
  return await db.transaction(async function writeUnchanged(sql) {
    if (lockFirst) await lockInIdOrder(sql, lockFirst.table, lockFirst.ids);
    await assertUnchanged(sql, ifMatch, row);
    return await write(sql);
  });
}

/**
 * The same for a write that returns whether it has found the row, such as only a row of the caller. If it has not, `find` says why.
 * @throws AppError what `find` throws, otherwise `not_found`
 */
export async function writeExisting<T>(
  db: Pick<Database, keyof Sql | 'transaction'>,
  ifMatch: IfMatch<T>,
  row: ResourceRow<T>,
  write: (sql: Sql) => Promise<boolean>,
): Promise<void> {
  if (await writeIfUnchanged(db, ifMatch, row, write)) return;
  await row.find(db, row.id);
  throw notFound();
}
