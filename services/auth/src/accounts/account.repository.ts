import { type Caller, onDuplicateKey, type Role, repository, type Sql } from '@shop/core';
import { emailTaken } from './accounts.errors';

interface LinkableRow {
  id: number;
  role: Role;
  email: string;
  google_sub: string | null;
  email_verified_at: Date | null;
}

/** What decides whether a Google identity may be linked to an account. */
export interface LinkableAccount {
  id: number;
  role: Role;
  email: string;
  googleSub: string | null;
  emailVerifiedAt: Date | null;
}

const toLinkable = ({ id, role, email, google_sub, email_verified_at }: LinkableRow): LinkableAccount => ({
  id,
  role,
  email,
  googleSub: google_sub,
  emailVerifiedAt: email_verified_at,
});

/** Statements on users; none reads a password hash (see passwords/credential.repository.ts). */
export const accountRepository = repository('account', (sql: Sql) => ({
  async findCallerByEmail(email: string): Promise<Caller | undefined> {
    const [row] = await sql.rows<Caller>('SELECT id, role FROM users WHERE email = ?', [email]);
    return row;
  },

  /** The account linked to `sub`, else the one with that email address. */
  async findByGoogleIdentity({ sub, email }: { sub: string; email: string }): Promise<LinkableAccount | undefined> {
    const columns = 'id, role, email, google_sub, email_verified_at';
    const [linked] = await sql.rows<LinkableRow>(`SELECT ${columns} FROM users WHERE google_sub = ?`, [sub]);
    if (linked) return toLinkable(linked);
    const [sameEmail] = await sql.rows<LinkableRow>(`SELECT ${columns} FROM users WHERE email = ?`, [email]);
    return sameEmail && toLinkable(sameEmail);
  },

  /** Locks the row until the end of the transaction. */
  async lockForLink(id: number): Promise<LinkableAccount | undefined> {
    const [row] = await sql.rows<LinkableRow>(
      'SELECT id, role, email, google_sub, email_verified_at FROM users WHERE id = ? FOR UPDATE',
      [id],
    );
    return row && toLinkable(row);
  },

  /** Google vouches for the address, too. @throws AppError `email_taken`: `googleSub` is linked to another user */
  async updateGoogleLink(id: number, googleSub: string, verifiedAt: Date): Promise<void> {
    const update = sql.write(
      'UPDATE users SET google_sub = ?, email_verified_at = COALESCE(email_verified_at, ?) WHERE id = ?',
      [googleSub, verifiedAt, id],
    );
    await onDuplicateKey(update, { users_google_sub: emailTaken });
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
