import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { AddressContext } from '../service';
import type { AddressChange } from './addresses.schemas';
import { updateAddress } from './addresses.sql';
import { getAddress } from './get-address';

/** Updates the given fields. Existing orders keep their own copy. */
export async function changeAddress(
  ctx: AddressContext,
  caller: Caller,
  id: number,
  change: AddressChange,
): Promise<void> {
  await getAddress(ctx, caller, id);
  if (!(await updateAddress(ctx.db, id, change))) throw notFound();
}
