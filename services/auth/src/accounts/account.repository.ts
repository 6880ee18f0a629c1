import { type Caller, repository, type Sql } from '@shop/core';

/** Statements on users; none reads a password hash (see passwords/credential.repository.ts). */
export const accountRepository = repository('account', (sql: Sql) => ({
  async findCallerByEmail(email: string): Promise<Caller | undefined> {
    const [row] = await sql.rows<Caller>('SELECT id, role FROM users WHERE email = ?', [email]);
    return row;
  },

  /** The first proof counts. */
  async updateEmailVerified(id: number, verifiedAt: Date): Promise<void> {
    await sql.write('UPDATE users SET email_verified_at = COALESCE(email_verified_at, ?) WHERE id = ?', [
      verifiedAt,
      id,
    ]);
  },
}));

export type AccountRepository = ReturnType<typeof accountRepository>;
