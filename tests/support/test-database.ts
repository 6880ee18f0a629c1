import { createPool, type Pool, type ResultSetHeader } from 'mysql2/promise';

type Value = string | number | bigint | Date | null;

let pool: Pool | undefined;

/** The suite's own pool, separate from the services' pools. */
function connection(): Pool {
  pool ??= createPool({
    host: process.env.SHOP_TEST_DB_HOST ?? '',
    port: Number(process.env.SHOP_TEST_DB_PORT),
    user: process.env.SHOP_TEST_DB_USER ?? '',
    password: process.env.SHOP_TEST_DB_PASS ?? '',
    database: process.env.SHOP_TEST_DB_NAME ?? '',
    timezone: 'Z',
    supportBigNumbers: true,
    connectionLimit: 4,
  });
  return pool;
}

/** Reads from the test database. */
export async function rows<T>(statement: string, values: Value[] = []): Promise<T[]> {
  const [result] = await connection().query(statement, values);
  return result as T[];
}

export async function write(statement: string, values: Value[] = []): Promise<number> {
  const [result] = await connection().query<ResultSetHeader>(statement, values);
  return result.insertId;
}

export async function closeTestDatabase(): Promise<void> {
  await pool?.end();
  pool = undefined;
}
