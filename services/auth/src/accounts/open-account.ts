import type { Sql } from '@shop/core/db';
import { type AccountFields, insertFirstStore, insertUser } from './accounts.sql';

/** The column's length in characters (code points, as MySQL counts). */
const MAX_STORE_NAME = 255;

const storeNameFor = (ownerName: string): string => [...`${ownerName}'s Store`].slice(0, MAX_STORE_NAME).join('');

/** Inserts the user and their first store. Must run in a database transaction. @returns the user's id */
export async function openAccount(sql: Sql, fields: AccountFields): Promise<number> {
  const id = await insertUser(sql, fields);
  await insertFirstStore(sql, id, storeNameFor(fields.name));
  return id;
}
