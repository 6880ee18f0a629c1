import { int, type Sql, statement, text } from '@shop/core/db';

/*
 * Table known_clients: the client addresses from which a user has logged in. credentials.sql.ts reads it together with the
 * password hash.
 */

const INSERT_CLIENT = statement(
  'known_client.insert',
  `INSERT INTO known_clients (user_id, client) VALUES (:userId, :client)
   ON DUPLICATE KEY UPDATE client = VALUES(client)`,
);

/** @param client its address, as `clientNetwork` returns it */
export async function insertKnownClient(sql: Sql, userId: number, client: string): Promise<void> {
  await sql.write(INSERT_CLIENT, { userId, client });
}

const LIST_OLD = statement(
  'known_client.deleteOld',
  { userId: int, client: text },
  'SELECT user_id AS userId, client FROM known_clients WHERE created_at < :before ORDER BY created_at LIMIT :limit',
);

const DELETE_CLIENT = statement(
  'known_client.deleteOld',
  'DELETE FROM known_clients WHERE user_id = :userId AND client = :client AND created_at < :before',
);

/** @returns how many were found */
export async function deleteOldClients(sql: Sql, before: Date, limit: number): Promise<number> {
  const old = await sql.rows(LIST_OLD, { before, limit });
  for (const { userId, client } of old) await sql.write(DELETE_CLIENT, { userId, client, before });
  return old.length;
}
