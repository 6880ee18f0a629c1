import { dateTime, int, nullable, type RowOf, type Sql, statement, text } from '@shop/core/db';

/* Tables second_factors and recovery_codes. The row of the user is locked before a factor is set up, confirmed or removed. */

const factorColumns = {
  userId: int,
  /** As `SecretBox` sealed it. */
  secret: text,
  /** null: no login needs it yet. */
  confirmedAt: nullable(dateTime),
  recoveryCodes: int,
};

export type Factor = RowOf<typeof factorColumns>;

const FIND_FACTOR = statement(
  'second_factor.find',
  factorColumns,
  `SELECT user_id AS userId, secret, confirmed_at AS confirmedAt,
     (SELECT COUNT(*) FROM recovery_codes WHERE recovery_codes.user_id = second_factors.user_id) AS recoveryCodes
   FROM second_factors WHERE user_id = :userId`,
);

export async function findFactor(sql: Sql, userId: number): Promise<Factor | undefined> {
  return await sql.row(FIND_FACTOR, { userId });
}

/** @returns undefined if there is none, or if it is not confirmed */
export async function findConfirmedFactor(sql: Sql, userId: number): Promise<Factor | undefined> {
  const factor = await findFactor(sql, userId);
  return factor?.confirmedAt ? factor : undefined;
}

const UPSERT_FACTOR = statement(
  'second_factor.insert',
  `INSERT INTO second_factors (user_id, secret) VALUES (:userId, :secret)
   ON DUPLICATE KEY UPDATE secret = VALUES(secret)`,
);

/** Replaces one that is not confirmed. */
export async function insertFactor(sql: Sql, userId: number, secret: string): Promise<void> {
  await sql.write(UPSERT_FACTOR, { userId, secret });
}

const CONFIRM_FACTOR = statement(
  'second_factor.confirm',
  `UPDATE second_factors SET confirmed_at = :now, last_step = :step
   WHERE user_id = :userId AND secret = :secret AND confirmed_at IS NULL`,
);

/** @returns false if it was confirmed or replaced meanwhile */
export async function confirmFactorRow(sql: Sql, { userId, secret }: Factor, step: number): Promise<boolean> {
  return (await sql.write(CONFIRM_FACTOR, { userId, secret, step, now: new Date() })).affectedRows === 1;
}

const SPEND_STEP = statement(
  'second_factor.spendStep',
  `UPDATE second_factors SET last_step = :step, secret = :sealed
   WHERE user_id = :userId AND secret = :secret AND last_step < :step`,
);

/**
 * @param sealed replaces the sealed secret
 * @returns false if a code of this time step, or of a later one, was already accepted
 */
export async function spendStep(
  sql: Sql,
  { userId, secret }: Factor,
  { step, sealed }: { step: number; sealed: string },
): Promise<boolean> {
  return (await sql.write(SPEND_STEP, { userId, secret, step, sealed })).affectedRows === 1;
}

const DELETE_FACTOR = statement('second_factor.delete', 'DELETE FROM second_factors WHERE user_id = :userId');

/** Also deletes its recovery codes. */
export async function deleteFactor(sql: Sql, userId: number): Promise<void> {
  await sql.write(DELETE_FACTOR, { userId });
}

const SPEND_RECOVERY_CODE = statement(
  'recovery_code.delete',
  'DELETE FROM recovery_codes WHERE user_id = :userId AND code_hash = :hash',
);

/** @returns false if it is unknown or already used */
export async function spendRecoveryCode(sql: Sql, userId: number, hash: string): Promise<boolean> {
  return (await sql.write(SPEND_RECOVERY_CODE, { userId, hash })).affectedRows === 1;
}

const DELETE_RECOVERY_CODES = statement(
  'recovery_code.deleteAll',
  'DELETE FROM recovery_codes WHERE user_id = :userId',
);
const INSERT_RECOVERY_CODE = statement(
  'recovery_code.insert',
  'INSERT INTO recovery_codes (user_id, code_hash) VALUES (:userId, :hash)',
);

/** Must run in a database transaction. */
export async function replaceRecoveryCodes(sql: Sql, userId: number, hashes: string[]): Promise<void> {
  await sql.write(DELETE_RECOVERY_CODES, { userId });
  for (const hash of hashes.toSorted()) await sql.write(INSERT_RECOVERY_CODE, { userId, hash });
}
