import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { User } from '../accounts/accounts.schemas';
import { findUser } from '../accounts/accounts.sql';
import { assertAdmin } from '../accounts/assert-admin';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { readExport } from './export.sql';
import type { AccountExport } from './leaving.schemas';

export async function exportOwnAccount(ctx: AuthContext, caller: Caller, client: Client): Promise<AccountExport> {
  return await exportUser(ctx, caller, await getOwnUser(ctx, caller), client);
}

/** Only for administrators. */
export async function exportAccountOf(
  ctx: AuthContext,
  caller: Caller,
  userId: number,
  client: Client,
): Promise<AccountExport> {
  await assertAdmin(ctx, caller);
  const user = await findUser(ctx.db, userId);
  if (!user) throw notFound();
  return await exportUser(ctx, caller, user, client);
}

async function exportUser(ctx: AuthContext, caller: Caller, user: User, client: Client): Promise<AccountExport> {
  const found = await ctx.audit.transaction(client, async function readInOneSnapshot(sql, record) {
    const all = await readExport(sql, user.id);
    await record('account_exported', user.id, { actorId: caller.id });
    return all;
  });
  const { account, transactions, logs, ...rest } = found;
  if (!account) throw notFound();
  const logsOf = new Map<number, Omit<(typeof logs)[number], 'transaction_id'>[]>(
    transactions.map(({ id }) => [id, []]),
  );
  for (const { transaction_id, ...log } of logs) logsOf.get(transaction_id)?.push(log);
  return {
    exported_at: new Date().toISOString(),
    user: { ...user, ...account },
    ...rest,
    transactions: transactions.map(({ label, address, city, postal_code, ...order }) => ({
      ...order,
      shipping_address: { label, address, city, postal_code },
      logs: logsOf.get(order.id) ?? [],
    })),
  };
}
