import { withConnection } from '@shop/test-servers';
import { aGate } from './a-database';
import { testEnv } from './test-app';

/** Locks a row from a separate connection, without a service's deadlines, until `release`. */
export async function lockedRow(table: string, id: number): Promise<{ release: () => Promise<void> }> {
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '', DB_NAME = '' } = testEnv();
  const server = { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASS, database: DB_NAME };
  const [locked, released] = [aGate(), aGate()];
  const client = withConnection(server, 60_000, async (connection) => {
    await connection.query('START TRANSACTION');
    await connection.query(`SELECT id FROM ${table} WHERE id = ? FOR UPDATE`, [id]);
    locked.open();
    await released.passed;
    await connection.query('ROLLBACK');
  });
  await Promise.race([locked.passed, client]);
  return {
    release: () => {
      released.open();
      return client;
    },
  };
}
