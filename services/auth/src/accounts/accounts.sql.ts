import { type Caller, type Role, roles } from '@shop/core/auth';
import {
  contains,
  flag,
  int,
  type List,
  nullable,
  onDuplicateKey,
  type Sql,
  selectList,
  statement,
  text,
  textOf,
  timestamp,
} from '@shop/core/db';
import { foldText } from '@shop/core/text';
import { emailTaken, phoneTaken } from './accounts.errors';
import type { User, UserChange, UserQuery } from './accounts.schemas';

/*
 * Table users. Also inserts a new user's first store into the store service's table, in the same database transaction.
 * Password hashes are not read here (see passwords/credentials.sql.ts).
 */

const userColumns = {
  id: int,
  name: text,
  email: text,
  email_verified: flag,
  phone: nullable(text),
  role: textOf(roles),
  created_at: timestamp,
};

const USER_COLUMNS = 'users.id, name, email, email_verified_at IS NOT NULL AS email_verified, phone, role, created_at';

const callerColumns = { id: int, role: textOf(roles) };

export interface AccountFields {
  name: string;
  /** Lower case. */
  email: string;
  phone: string | null;
  passwordHash: string | null;
  googleSub: string | null;
  /** null: not verified. */
  emailVerifiedAt: Date | null;
}

const INSERT_USER = statement(
  'account.insert',
  `INSERT INTO users (name, name_folded, email, phone, password_hash, google_sub, email_verified_at)
   VALUES (:name, :nameFolded, :email, :phone, :passwordHash, :googleSub, :emailVerifiedAt)`,
);

/** @returns the new id */
export async function insertUser(sql: Sql, fields: AccountFields): Promise<number> {
  const insert = sql.write(INSERT_USER, { ...fields, nameFolded: foldText(fields.name) });
  // A duplicate Google sub is the same conflict: that Google user already has an account.
  const taken = { users_email: emailTaken, users_phone: phoneTaken, users_google_sub: emailTaken };
  return (await onDuplicateKey(insert, taken)).insertId;
}

const INSERT_FIRST_STORE = statement(
  'first_store.insert',
  'INSERT INTO stores (user_id, name, name_folded) VALUES (:ownerId, :name, :nameFolded)',
);

export async function insertFirstStore(sql: Sql, ownerId: number, name: string): Promise<void> {
  await sql.write(INSERT_FIRST_STORE, { ownerId, name, nameFolded: foldText(name) });
}

const FIND_USER = statement(
  'account.findById',
  userColumns,
  `SELECT ${USER_COLUMNS} FROM users WHERE id = :id AND deleted_at IS NULL`,
);

export async function findUser(sql: Sql, id: number): Promise<User | undefined> {
  return await sql.row(FIND_USER, { id });
}

const FIND_CALLER = statement(
  'account.findCaller',
  callerColumns,
  'SELECT id, role FROM users WHERE id = :id AND deleted_at IS NULL',
);

/** The id and role that an access token carries. */
export async function findCaller(sql: Sql, id: number): Promise<Caller | undefined> {
  return await sql.row(FIND_CALLER, { id });
}

const FIND_CALLER_BY_EMAIL = statement(
  'account.findCallerByEmail',
  callerColumns,
  'SELECT id, role FROM users WHERE email = :email AND deleted_at IS NULL',
);

export async function findCallerByEmail(sql: Sql, email: string): Promise<Caller | undefined> {
  return await sql.row(FIND_CALLER_BY_EMAIL, { email });
}

const LIST_ADMIN_IDS = statement('account.listAdminIds', { id: int }, "SELECT id FROM users WHERE role = 'admin'");

export async function listAdminIds(sql: Sql): Promise<number[]> {
  return (await sql.rows(LIST_ADMIN_IDS)).map((admin) => admin.id);
}

const LOCK_ROLES = statement(
  'account.lockRoles',
  callerColumns,
  'SELECT id, role FROM users WHERE id IN (:ids) ORDER BY id FOR UPDATE',
);

/** Current roles by user id. Locks the rows by primary key in id order, so that role changes are serialized. */
export async function lockRoles(sql: Sql, ids: number[]): Promise<Map<number, Role>> {
  return new Map((await sql.rows(LOCK_ROLES, { ids })).map(({ id, role }) => [id, role]));
}

export async function listUsers(sql: Sql, query: UserQuery): Promise<List<User>> {
  const isPresent = { text: 'deleted_at IS NULL', values: {} };
  const source = {
    name: 'account.list',
    columns: userColumns,
    select: USER_COLUMNS,
    table: 'users',
    // Email addresses are lower-case ASCII, so folding does not change them.
    where: [isPresent, contains(['name_folded', 'email'], query.search)],
    index: 'users_present',
    indexed: isPresent,
    tableIndex: 'users_present',
  };
  return await selectList(sql, source, query);
}

const UPDATE_USER = statement(
  'account.update',
  `UPDATE users
   SET name = COALESCE(:name, name), name_folded = COALESCE(:nameFolded, name_folded),
       phone = COALESCE(:phone, phone), role = COALESCE(:role, role)
   WHERE id = :id`,
);

/** Updates the given fields. */
export async function updateUser(sql: Sql, id: number, { name, phone, role }: UserChange): Promise<void> {
  const nameFolded = name === undefined ? null : foldText(name);
  const values = { id, name: name ?? null, nameFolded, phone: phone ?? null, role: role ?? null };
  await onDuplicateKey(sql.write(UPDATE_USER, values), { users_phone: phoneTaken });
}

const VERIFY_EMAIL = statement(
  'account.updateEmailVerified',
  'UPDATE users SET email_verified_at = COALESCE(email_verified_at, :verifiedAt) WHERE id = :id',
);

/** Keeps an earlier verification time. */
export async function updateEmailVerified(sql: Sql, id: number, verifiedAt: Date): Promise<void> {
  await sql.write(VERIFY_EMAIL, { id, verifiedAt });
}

const UPDATE_EMAIL = statement(
  'account.updateEmail',
  'UPDATE users SET email = :email, email_verified_at = :verifiedAt WHERE id = :id AND email <> :email',
);

/**
 * Makes it the verified address of the account.
 * @returns whether it is another one than before
 */
export async function updateEmail(sql: Sql, id: number, email: string, verifiedAt: Date): Promise<boolean> {
  const update = sql.write(UPDATE_EMAIL, { id, email, verifiedAt });
  if ((await onDuplicateKey(update, { users_email: emailTaken })).affectedRows === 1) return true;
  await updateEmailVerified(sql, id, verifiedAt);
  return false;
}
