import type { Sql } from '@shop/core/db';
import { deleteExpiredKeys } from './checkout.sql';

/** Keeps each statement short, so that it holds up no checkout. */
const ROWS_AT_ONCE = 500;

/** Deletes the keys that are free again. */
export async function forgetExpiredKeys(sql: Sql): Promise<void> {
  let deleted: number;
  do deleted = await deleteExpiredKeys(sql, ROWS_AT_ONCE);
  while (deleted === ROWS_AT_ONCE);
}
