import { int } from './columns';
import type { Sql } from './sql';
import { statement } from './statement';

/** `nowait`: if another database transaction holds the lock, the statement fails at once like a lock wait timeout. */
export type LockWait = 'wait' | 'nowait';

export const forUpdate = (wait: LockWait): string => (wait === 'wait' ? 'FOR UPDATE' : 'FOR UPDATE NOWAIT');

const ROWS_AT_ONCE = 1024;

/**
 * Locks rows in id order until the end of the database transaction. An insert locks its own row before the parent rows of
 * its foreign keys. So the delete of a parent must lock its children first, or the two can deadlock.
 */
export async function lockInIdOrder(sql: Sql, table: string, ids: number[]): Promise<void> {
  // Without the primary key hint, the optimizer may scan a small table and lock all of its rows.
  const lockRows = statement(
    `${table}.lock`,
    { id: int },
    `SELECT id FROM ${table} FORCE INDEX (PRIMARY) WHERE id IN (:ids) ORDER BY id FOR UPDATE`,
  );
  const sorted = ids.toSorted((a, b) => a - b);
  for (let start = 0; start < sorted.length; start += ROWS_AT_ONCE) {
    await sql.rows(lockRows, { ids: sorted.slice(start, start + ROWS_AT_ONCE) });
  }
}
