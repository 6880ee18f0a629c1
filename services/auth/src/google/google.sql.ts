import { roles } from '@shop/core/auth';
import { dateTime, int, nullable, onDuplicateKey, type RowOf, type Sql, statement, text, textOf } from '@shop/core/db';
import { emailTaken } from '../accounts/accounts.errors';
import type { GoogleIdentity } from './google.schemas';

/* The columns of table users that link an account to a Google identity. */

const linkableColumns = {
  id: int,
  role: textOf(roles),
  email: text,
  googleSub: nullable(text),
  emailVerifiedAt: nullable(dateTime),
};

/** The fields that decide whether a Google identity may be linked to an account. */
export type LinkableAccount = RowOf<typeof linkableColumns>;

const LINKABLE = 'SELECT id, role, email, google_sub AS googleSub, email_verified_at AS emailVerifiedAt FROM users';

const FIND_BY_SUB = statement('account.findByGoogleIdentity', linkableColumns, `${LINKABLE} WHERE google_sub = :sub`);

const FIND_BY_EMAIL = statement('account.findByGoogleIdentity', linkableColumns, `${LINKABLE} WHERE email = :email`);

/** The account linked to `sub`, otherwise the one with that email address. */
export async function findAccountByIdentity(sql: Sql, identity: GoogleIdentity): Promise<LinkableAccount | undefined> {
  const { sub, email } = identity;
  return (await sql.row(FIND_BY_SUB, { sub })) ?? (await sql.row(FIND_BY_EMAIL, { email }));
}

const LOCK_FOR_LINK = statement('account.lockForLink', linkableColumns, `${LINKABLE} WHERE id = :id FOR UPDATE`);

/** Locks the row until the end of the database transaction. */
export async function lockAccountForLink(sql: Sql, id: number): Promise<LinkableAccount | undefined> {
  return await sql.row(LOCK_FOR_LINK, { id });
}

const UPDATE_LINK = statement(
  'account.updateGoogleLink',
  `UPDATE users SET google_sub = :sub, email_verified_at = COALESCE(email_verified_at, :verifiedAt)
   WHERE id = :id`,
);

/** Also marks the email address as verified, because Google has verified it. */
export async function updateGoogleLink(sql: Sql, id: number, sub: string, verifiedAt: Date): Promise<void> {
  await onDuplicateKey(sql.write(UPDATE_LINK, { id, sub, verifiedAt }), { users_google_sub: emailTaken });
}
