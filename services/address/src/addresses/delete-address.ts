import { type Caller, ownerLimit } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { type IfMatch, writeExisting } from '@shop/core/preconditions';
import type { AddressContext } from '../service';
import type { Address } from './addresses.schemas';
import { deleteAddressRow, listOrderIds } from './addresses.sql';
import { getAddress } from './get-address';

/** Existing orders keep their own copy. */
export async function deleteAddress(
  { db }: AddressContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Address>,
): Promise<void> {
  const ownerId = ownerLimit(caller);
  const find = (sql: Sql) => getAddress(sql, caller, id);
  // Lock order: orders before their address, as in a checkout. Deleting the address clears their address_id.
  const lockFirst = { table: 'transactions', ids: await listOrderIds(db, id, ownerId) };
  const address = { table: 'addresses', id, find, lockFirst };
  await writeExisting(db, ifMatch, address, (sql) => deleteAddressRow(sql, id, ownerId));
}
