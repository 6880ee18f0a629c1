import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import { type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import type { AddressContext } from '../service';
import type { Address, AddressChange } from './addresses.schemas';
import { findAddress, updateAddress } from './addresses.sql';
import { getAddress } from './get-address';

/** Updates the given fields. Existing orders keep their own copy. */
export async function changeAddress(
  ctx: AddressContext,
  caller: Caller,
  id: number,
  change: AddressChange,
  ifMatch: IfMatch<Address>,
): Promise<void> {
  await getAddress(ctx, caller, id);
  const address = { table: 'addresses', id, find: findAddress };
  const exists = await writeIfUnchanged(ctx.db, ifMatch, address, (sql) => updateAddress(sql, id, change));
  if (!exists) throw notFound();
}
