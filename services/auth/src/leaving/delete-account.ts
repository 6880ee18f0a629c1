import type { Caller } from '@shop/core/auth';
import { lockInIdOrder } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import { lastAdmin } from '../accounts/accounts.errors';
import type { User } from '../accounts/accounts.schemas';
import { findUser, listAdminIds, lockRoles } from '../accounts/accounts.sql';
import { assertAdmin } from '../accounts/assert-admin';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import { assertPassword } from '../passwords/assert-password';
import type { AuthContext } from '../service';
import { revokeAllSessions } from '../sessions/sessions.sql';
import { storeHasOpenOrders } from './leaving.errors';
import {
  anonymiseUser,
  deleteKeys,
  deleteStores,
  haveOpenOrders,
  listProductIds,
  listStoredNames,
  listStoreIds,
} from './leaving.sql';

/** Deletes the caller's account. */
export async function deleteOwnAccount(
  ctx: AuthContext,
  caller: Caller,
  currentPassword: string,
  client: Client,
  ifMatch: IfMatch<User>,
): Promise<void> {
  const { email } = await getOwnUser(ctx, caller);
  await assertPassword(ctx, email, currentPassword, client);
  await deleteAccount(ctx, caller, caller.id, client, ifMatch);
}

/** Deletes another user's account. Only for administrators. */
export async function deleteAccountOf(
  ctx: AuthContext,
  caller: Caller,
  userId: number,
  client: Client,
  ifMatch: IfMatch<User>,
): Promise<void> {
  await assertAdmin(ctx, caller);
  if (!(await findUser(ctx.db, userId))) throw notFound();
  await deleteAccount(ctx, caller, userId, client, ifMatch);
}

/**
 * Orders stay, with their copies of addresses and products. Everything else that belongs to the user goes.
 * @throws AppError `last_admin`, `store_has_open_orders`
 */
async function deleteAccount(
  ctx: AuthContext,
  caller: Caller,
  userId: number,
  client: Client,
  ifMatch: IfMatch<User>,
): Promise<void> {
  const [storeIds, admins] = [await listStoreIds(ctx.db, userId), await listAdminIds(ctx.db)];
  if (await haveOpenOrders(ctx.db, storeIds)) throw storeHasOpenOrders();
  const productIds = await listProductIds(ctx.db, storeIds);
  const storedNames = await ctx.audit.transaction(client, async function deleteLocked(sql, record) {
    // Lock order: keys, products, stores, users, as in a checkout. While a store is locked, it gets no products and no orders.
    await deleteKeys(sql, userId);
    await lockInIdOrder(sql, 'products', productIds);
    await lockInIdOrder(sql, 'stores', storeIds);
    const isAdmin = admins.includes(userId);
    const roles = await lockRoles(sql, isAdmin ? admins : [userId]);
    await assertUnchanged(sql, ifMatch, { table: 'users', id: userId, find: findUser });
    if (isAdmin && ![...roles].some(([id, role]) => id !== userId && role === 'admin')) throw lastAdmin();
    // Checked again on the locked rows.
    if (await haveOpenOrders(sql, storeIds)) throw storeHasOpenOrders();
    const names = await listStoredNames(sql, userId, storeIds);
    await deleteStores(sql, storeIds);
    await revokeAllSessions(sql, userId, ctx.tokenIssuer.revocationTimes());
    await record('account_deleted', userId, { actorId: caller.id });
    await anonymiseUser(sql, userId);
    return names;
  });
  if (storeIds.length > 0) await ctx.cache.invalidate([cacheScope.everything]);
  await ctx.storage.discard(storedNames);
}
