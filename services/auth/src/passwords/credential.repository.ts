import { type Role, repository, type Sql } from '@shop/core';

export interface StoredCredentials {
  id: number;
  role: Role;
  /** null: signs in through Google only. */
  passwordHash: string | null;
}

interface CredentialRow {
  id: number;
  role: Role;
  password_hash: string | null;
}

/** The only statements that touch a password hash beside the insert of its user. */
export const credentialRepository = repository('credential', (sql: Sql) => ({
  async findByEmail(email: string): Promise<StoredCredentials | undefined> {
    const [row] = await sql.rows<CredentialRow>('SELECT id, role, password_hash FROM users WHERE email = ?', [email]);
    return row && { id: row.id, role: row.role, passwordHash: row.password_hash };
  },

  async updatePassword(userId: number, passwordHash: string): Promise<void> {
    await sql.write('UPDATE users SET password_hash = ? WHERE id = ?', [passwordHash, userId]);
  },

  /** @returns whether there was one */
  async removePassword(userId: number): Promise<boolean> {
    const { affectedRows } = await sql.write(
      'UPDATE users SET password_hash = NULL WHERE id = ? AND password_hash IS NOT NULL',
      [userId],
    );
    return affectedRows === 1;
  },
}));

export type CredentialRepository = ReturnType<typeof credentialRepository>;
