import type { Repositories } from '../repositories';
import type { AccountFields } from './account.repository';

/** As many characters (code points, as MySQL counts) as the column holds. */
const MAX_STORE_NAME = 255;

const storeNameFor = (ownerName: string): string => [...`${ownerName}'s Store`].slice(0, MAX_STORE_NAME).join('');

/**
 * The user and the store that every user starts with; to be called in a transaction.
 * @throws AppError `email_taken`, `phone_taken`
 */
export async function openAccount(
  { accounts, firstStores }: Pick<Repositories, 'accounts' | 'firstStores'>,
  fields: AccountFields,
): Promise<number> {
  const id = await accounts.insert(fields);
  await firstStores.insert(id, storeNameFor(fields.name));
  return id;
}
