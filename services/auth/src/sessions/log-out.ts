import type { InTransaction } from '../repositories';
import { hashOfToken } from './opaque-token';

interface Parts {
  inTransaction: InTransaction;
}

/** Ends the login that the token stems from: a refresh running beside it does not survive. An unknown token is fine. */
export const logOut =
  ({ inTransaction }: Parts) =>
  (token: string): Promise<void> =>
    inTransaction(async ({ sessions }) => {
      const held = await sessions.lockByHash(hashOfToken(token));
      if (held) await sessions.updateFamilyRevoked(held.familyId, new Date());
    });
