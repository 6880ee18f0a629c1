import { randomUUID } from 'node:crypto';
import { int, nullable, type Sql, statement, text } from '@shop/core/db';
import { foldText } from '@shop/core/text';

/*
 * The statements that delete an account, in the order in which it is done. In the same database transaction they also delete
 * from the tables of other services: products, stores, addresses, files and idempotency_keys. They read transactions, which
 * stay.
 */

const LIST_STORE_IDS = statement('leaving.listStoreIds', { id: int }, 'SELECT id FROM stores WHERE user_id = :userId');

export async function listStoreIds(sql: Sql, userId: number): Promise<number[]> {
  return (await sql.rows(LIST_STORE_IDS, { userId })).map(({ id }) => id);
}

const LIST_PRODUCT_IDS = statement(
  'leaving.listProductIds',
  { id: int },
  'SELECT id FROM products WHERE store_id IN (:storeIds)',
);

export async function listProductIds(sql: Sql, storeIds: number[]): Promise<number[]> {
  if (storeIds.length === 0) return [];
  return (await sql.rows(LIST_PRODUCT_IDS, { storeIds })).map(({ id }) => id);
}

const FIND_OPEN_ORDER = statement(
  'leaving.findOpenOrder',
  { id: int },
  "SELECT id FROM transactions WHERE store_id IN (:storeIds) AND status IN ('pending', 'paid', 'shipped') LIMIT 1",
);

export async function haveOpenOrders(sql: Sql, storeIds: number[]): Promise<boolean> {
  return storeIds.length > 0 && (await sql.row(FIND_OPEN_ORDER, { storeIds })) !== undefined;
}

const LIST_IMAGES = statement(
  'leaving.listImages',
  { image: nullable(text) },
  'SELECT image FROM products WHERE store_id IN (:storeIds) AND image IS NOT NULL',
);

const LIST_UPLOADS = statement(
  'leaving.listUploads',
  { storedName: text },
  'SELECT stored_name AS storedName FROM files WHERE user_id = :userId',
);

/** @returns the stored names of all images and uploads */
export async function listStoredNames(sql: Sql, userId: number, storeIds: number[]): Promise<string[]> {
  const images = storeIds.length === 0 ? [] : await sql.rows(LIST_IMAGES, { storeIds });
  const uploads = await sql.rows(LIST_UPLOADS, { userId });
  return [...images.flatMap(({ image }) => image ?? []), ...uploads.map(({ storedName }) => storedName)];
}

const DELETE_KEYS = statement('leaving.deleteKeys', 'DELETE FROM idempotency_keys WHERE user_id = :userId');

/** Deletes the idempotency keys of the user with the stored responses. Like all writes with a key, locks keys first. */
export async function deleteKeys(sql: Sql, userId: number): Promise<void> {
  await sql.write(DELETE_KEYS, { userId });
}

const DELETE_PRODUCTS = statement('leaving.deleteProducts', 'DELETE FROM products WHERE store_id = :storeId');

const DELETE_STORE = statement(
  'leaving.deleteStore',
  `DELETE FROM stores WHERE id = :storeId AND NOT EXISTS (SELECT 1 FROM transactions WHERE store_id = :storeId)`,
);

const RENAME_STORE = statement(
  'leaving.renameStore',
  'UPDATE stores SET name = :name, name_folded = :nameFolded WHERE id = :storeId',
);

/** Deletes the stores with their products. A store that has orders stays for them, without products and name. */
export async function deleteStores(sql: Sql, storeIds: number[]): Promise<void> {
  const name = 'Closed store';
  for (const storeId of storeIds) {
    await sql.write(DELETE_PRODUCTS, { storeId });
    const { affectedRows } = await sql.write(DELETE_STORE, { storeId });
    if (affectedRows === 0) await sql.write(RENAME_STORE, { storeId, name, nameFolded: foldText(name) });
  }
}

const deletions = [
  statement('leaving.deleteAddresses', 'DELETE FROM addresses WHERE user_id = :userId'),
  statement('leaving.deleteFiles', 'DELETE FROM files WHERE user_id = :userId'),
  statement('leaving.deleteKnownClients', 'DELETE FROM known_clients WHERE user_id = :userId'),
  statement('leaving.deleteSecondFactor', 'DELETE FROM second_factors WHERE user_id = :userId'),
  statement('leaving.deleteVerifications', 'DELETE FROM email_verifications WHERE user_id = :userId'),
  statement('leaving.deleteResets', 'DELETE FROM password_resets WHERE user_id = :userId'),
  statement('leaving.deleteMails', 'DELETE FROM mails WHERE user_id = :userId'),
];

/** What an administrator did keeps the administrator's address. */
const ANONYMISE_EVENTS = statement(
  'leaving.anonymiseEvents',
  `UPDATE audit_events SET ip = NULL, user_agent = NULL
   WHERE user_id = :userId AND (actor_id IS NULL OR actor_id = user_id)`,
);

const ANONYMISE = statement(
  'leaving.anonymise',
  `UPDATE users
   SET name = :name, name_folded = :nameFolded, email = :email, phone = NULL, password_hash = NULL, google_sub = NULL,
       role = 'user', email_verified_at = NULL, deleted_at = :now
   WHERE id = :userId`,
);

/** Deletes what belongs to the user alone. The user's row stays for the orders, and the events stay, without personal data. */
export async function anonymiseUser(sql: Sql, userId: number): Promise<void> {
  for (const deletion of deletions) await sql.write(deletion, { userId });
  await sql.write(ANONYMISE_EVENTS, { userId });
  const name = 'Deleted user';
  const email = `${randomUUID()}@deleted.invalid`;
  await sql.write(ANONYMISE, { userId, name, nameFolded: foldText(name), email, now: new Date() });
}
