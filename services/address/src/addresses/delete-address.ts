import type { Caller } from '@shop/core/auth';
import { lockInIdOrder } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import type { AddressContext } from '../service';
import type { Address } from './addresses.schemas';
import { deleteAddressRow, findAddress, listOrderIds } from './addresses.sql';
import { getAddress } from './get-address';

/** Existing orders keep their own copy. */
export async function deleteAddress(
  ctx: AddressContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Address>,
): Promise<void> {
  await getAddress(ctx, caller, id);
  const orderIds = await listOrderIds(ctx.db, id);
  await ctx.db.transaction(async function deleteLocked(sql) {
    // Lock order: orders before their address, as in a checkout. Deleting the address clears their address_id.
    await lockInIdOrder(sql, 'transactions', orderIds);
    await assertUnchanged(sql, ifMatch, { table: 'addresses', id, find: findAddress });
    if (!(await deleteAddressRow(sql, id))) throw notFound();
  });
}
