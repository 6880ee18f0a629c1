import type { Sql } from '@shop/core/db';
import { type AccountFields, insertFirstStore, insertUser } from './accounts.sql';

/** As many characters (code points, as MySQL counts) as the column holds. */
const MAX_STORE_NAME = 255;

const storeNameFor = (ownerName: string): string => [...`${ownerName}'s Store`].slice(0, MAX_STORE_NAME).join('');

/**
 * The user and the store that every user starts with; needs a database transaction.
 * @returns the user's id
 */
export async function openAccount(sql: Sql, fields: AccountFields): Promise<number> {
  const id = await insertUser(sql, fields);
  await insertFirstStore(sql, id, storeNameFor(fields.name));
  return id;
}
