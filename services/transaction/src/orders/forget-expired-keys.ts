import type { Sql } from '@shop/core/db';
import { deleteExpiredKeys } from './checkout.sql';

/** Keeps each statement short, so that it does not delay checkouts. */
const ROWS_PER_BATCH = 500;

export async function forgetExpiredKeys(sql: Sql): Promise<void> {
  let deleted: number;
  do deleted = await deleteExpiredKeys(sql, ROWS_PER_BATCH);
  while (deleted === ROWS_PER_BATCH);
}
