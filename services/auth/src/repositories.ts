import type { Database, Sql } from '@shop/core';
import { accountRepository } from './accounts/account.repository';
import { updatePassword } from './passwords/credentials.sql';
import { mailQuotaRepository } from './passwords/mail-quota.repository';
import { passwordResetRepository } from './passwords/password-reset.repository';
import { revokeAllSessions } from './sessions/sessions.sql';

export const repositories = (sql: Sql) => ({
  accounts: accountRepository(sql),
  credentials: {
    updatePassword: (userId: number, passwordHash: string) => updatePassword(sql, userId, passwordHash),
  },
  sessions: {
    updateAllRevoked: (userId: number, revokedAt: Date) => revokeAllSessions(sql, userId, revokedAt),
  },
  passwordResets: passwordResetRepository(sql),
  mailQuotas: mailQuotaRepository(sql),
});

export type Repositories = ReturnType<typeof repositories>;

/** Hands `work` the repositories on one connection, in one database transaction; a deadlock runs `work` again. */
export type InTransaction = <T>(work: (repositories: Repositories) => Promise<T>) => Promise<T>;

export const transactionsOf =
  (db: Database): InTransaction =>
  (work) =>
    db.transaction((sql) => work(repositories(sql)));
