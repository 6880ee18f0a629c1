import { type Caller, ownerLimit } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { type IfMatch, writeExisting } from '@shop/core/preconditions';
import type { AddressContext } from '../service';
import type { Address, AddressChange } from './addresses.schemas';
import { updateAddress } from './addresses.sql';
import { getAddress } from './get-address';

/** Updates the given fields. Existing orders keep their own copy. */
export async function changeAddress(
  { db }: AddressContext,
  caller: Caller,
  id: number,
  change: AddressChange,
  ifMatch: IfMatch<Address>,
): Promise<void> {
  const find = (sql: Sql) => getAddress(sql, caller, id);
  await writeExisting(db, ifMatch, { table: 'addresses', id, find }, function updateOwn(sql) {
    return updateAddress(sql, id, ownerLimit(caller), change);
  });
}
