import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { AddressContext } from '../service';
import type { Address } from './addresses.schemas';
import { findAddress } from './addresses.sql';

export async function getAddress({ db }: Pick<AddressContext, 'db'>, caller: Caller, id: number): Promise<Address> {
  const address = await findAddress(db, id);
  if (!address) throw notFound();
  assertOwnerOrAdmin(caller, address.user_id);
  return address;
}
