import { roles } from '@shop/core/auth';
import { int, nullable, type RowOf, type Sql, statement, text, textOf } from '@shop/core/db';

/* Password hashes in table users. Only this file reads them; only this file and the insert of a user write them. */

const credentialColumns = {
  id: int,
  role: textOf(roles),
  /** null: signs in through Google only. */
  passwordHash: nullable(text),
};

const FIND_CREDENTIALS = statement(
  'credential.findByEmail',
  credentialColumns,
  'SELECT id, role, password_hash AS passwordHash FROM users WHERE email = :email',
);

export async function findCredentials(sql: Sql, email: string): Promise<RowOf<typeof credentialColumns> | undefined> {
  return await sql.row(FIND_CREDENTIALS, { email });
}

const UPDATE_PASSWORD = statement(
  'credential.updatePassword',
  'UPDATE users SET password_hash = :passwordHash WHERE id = :userId',
);

export async function updatePassword(sql: Sql, userId: number, passwordHash: string): Promise<void> {
  await sql.write(UPDATE_PASSWORD, { userId, passwordHash });
}

const REMOVE_PASSWORD = statement(
  'credential.removePassword',
  'UPDATE users SET password_hash = NULL WHERE id = :userId AND password_hash IS NOT NULL',
);

/** @returns whether there was a password */
export async function removePassword(sql: Sql, userId: number): Promise<boolean> {
  return (await sql.write(REMOVE_PASSWORD, { userId })).affectedRows === 1;
}
