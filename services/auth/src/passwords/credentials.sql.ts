import { roles } from '@shop/core/auth';
import { flag, int, nullable, type RowOf, type Sql, statement, text, textOf } from '@shop/core/db';

/*
 * Password hashes in table users. Only this file reads them; only this file and the insert of a user write them. Also reads
 * whether a client is in table known_clients.
 */

const credentialColumns = {
  id: int,
  role: textOf(roles),
  /** null: signs in through Google only. */
  passwordHash: nullable(text),
  /** The client has logged in to this account before. */
  knowsClient: flag,
};

const FIND_CREDENTIALS = statement(
  'credential.findByEmail',
  credentialColumns,
  `SELECT id, role, password_hash AS passwordHash,
     EXISTS (SELECT 1 FROM known_clients WHERE user_id = users.id AND client = :client) AS knowsClient
   FROM users WHERE email = :email`,
);

export type Account = RowOf<typeof credentialColumns>;

/** @param client its address, as `clientNetwork` returns it */
export async function findCredentials(sql: Sql, email: string, client: string): Promise<Account | undefined> {
  return await sql.row(FIND_CREDENTIALS, { email, client });
}

const UPDATE_PASSWORD = statement(
  'credential.updatePassword',
  'UPDATE users SET password_hash = :passwordHash WHERE id = :userId',
);

export async function updatePassword(sql: Sql, userId: number, passwordHash: string): Promise<void> {
  await sql.write(UPDATE_PASSWORD, { userId, passwordHash });
}

const REPLACE_HASH = statement(
  'credential.replaceHash',
  'UPDATE users SET password_hash = :newHash WHERE id = :userId AND password_hash = :oldHash',
);

/** @returns false if the hash has changed meanwhile */
export async function replaceHash(sql: Sql, userId: number, oldHash: string, newHash: string): Promise<boolean> {
  return (await sql.write(REPLACE_HASH, { userId, oldHash, newHash })).affectedRows === 1;
}

const REMOVE_PASSWORD = statement(
  'credential.removePassword',
  'UPDATE users SET password_hash = NULL WHERE id = :userId AND password_hash IS NOT NULL',
);

/** @returns whether there was a password */
export async function removePassword(sql: Sql, userId: number): Promise<boolean> {
  return (await sql.write(REMOVE_PASSWORD, { userId })).affectedRows === 1;
}
