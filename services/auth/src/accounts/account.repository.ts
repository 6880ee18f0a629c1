import {
  type Caller,
  contains,
  foldText,
  inList,
  type List,
  onDuplicateKey,
  type Role,
  repository,
  type Sql,
  selectList,
} from '@shop/core';
import { emailTaken, phoneTaken } from './account.errors';
import type { User, UserChange, UserQuery } from './account.schemas';

interface UserRow {
  id: number;
  name: string;
  email: string;
  phone: string | null;
  role: Role;
  created_at: Date;
}

export interface AccountFields {
  name: string;
  /** Lower case. */
  email: string;
  phone: string | null;
  passwordHash: string | null;
  googleSub: string | null;
  /** null: not yet verified. */
  emailVerifiedAt: Date | null;
}

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

const toUser = (row: UserRow): User => ({ ...row, created_at: row.created_at.toISOString() });

/** Statements on users; none reads a password hash (see passwords/credential.repository.ts). */
export const accountRepository = repository('account', (sql: Sql) => ({
  /** @throws AppError `email_taken`, `phone_taken` */
  async insert({ name, email, phone, passwordHash, googleSub, emailVerifiedAt }: AccountFields): Promise<number> {
    const insert = sql.write(
      `INSERT INTO users (name, name_folded, email, phone, password_hash, google_sub, email_verified_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [name, foldText(name), email, phone, passwordHash, googleSub, emailVerifiedAt],
    );
    // A Google account known under its sub is the same conflict: it has an account already.
    const taken = { users_email: emailTaken, users_phone: phoneTaken, users_google_sub: emailTaken };
    return (await onDuplicateKey(insert, taken)).insertId;
  },

  async findById(id: number): Promise<User | undefined> {
    const [row] = await sql.rows<UserRow>('SELECT id, name, email, phone, role, created_at FROM users WHERE id = ?', [
      id,
    ]);
    return row && toUser(row);
  },

  /** Id and role as an access token carries them. */
  async findCaller(id: number): Promise<Caller | undefined> {
    const [row] = await sql.rows<Caller>('SELECT id, role FROM users WHERE id = ?', [id]);
    return row;
  },

  async listAdminIds(): Promise<number[]> {
    const admins = await sql.rows<{ id: number }>("SELECT id FROM users WHERE role = 'admin'");
    return admins.map(({ id }) => id);
  },

  /** Present roles by user id. Locks the rows by key and in one order, so that role changes wait for each other. */
  async lockRoles(ids: number[]): Promise<Map<number, Role>> {
    const { placeholders, values } = inList(ids);
    const locked = await sql.rows<Caller>(
      `SELECT id, role FROM users WHERE id IN (${placeholders}) ORDER BY id FOR UPDATE`,
      values,
    );
    return new Map(locked.map(({ id, role }) => [id, role]));
  },

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

  list(query: UserQuery): Promise<List<User>> {
    const source = {
      table: 'users',
      columns: 'users.id, name, email, phone, role, created_at',
      // An e-mail address is ASCII in lower case: folded as it is.
      where: [contains(['name_folded', 'email'], query.search)],
      index: 'users_newest',
      newest: 'users_newest',
    };
    return selectList(sql, source, query, toUser);
  },

  /** Fields that are absent stay. @throws AppError `phone_taken` */
  async update(id: number, { name, phone, role }: UserChange): Promise<void> {
    const update = sql.write(
      `UPDATE users SET name = COALESCE(?, name), name_folded = COALESCE(?, name_folded), phone = COALESCE(?, phone),
         role = COALESCE(?, role)
       WHERE id = ?`,
      [name ?? null, name === undefined ? null : foldText(name), phone ?? null, role ?? null, id],
    );
    await onDuplicateKey(update, { users_phone: phoneTaken });
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
