import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import type { Address } from './addresses.schemas';
import { findAddress } from './addresses.sql';

export async function getAddress(sql: Sql, caller: Caller, id: number): Promise<Address> {
  const address = await findAddress(sql, id);
  if (!address) throw notFound();
  assertOwnerOrAdmin(caller, address.user_id);
  return address;
}
