import { assertOwnerOrAdmin, type Caller, notFound } from '@shop/core';
import type { InTransaction } from '../repositories';

interface Parts {
  inTransaction: InTransaction;
}

/** Revokes all refresh tokens of a user. @throws AppError `forbidden`; `not_found` for an admin */
export const logOutEverywhere =
  ({ inTransaction }: Parts) =>
  async (caller: Caller, userId: number): Promise<void> => {
    assertOwnerOrAdmin(caller, userId);
    await inTransaction(async ({ accounts, sessions }) => {
      if (userId !== caller.id && !(await accounts.findCaller(userId))) throw notFound();
      await sessions.updateAllRevoked(userId, new Date());
    });
  };
