import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { testEnv } from './test-app';
import { write } from './test-database';

/** An empty database for one test, which makes the schema itself. */
export interface BareDatabase {
  name: string;
  /** Several statements at once are allowed. */
  connection: Connection;
  rows(statement: string, values?: unknown[]): Promise<RowDataPacket[]>;
  /** Runs a file of the repository. */
  load(file: string): Promise<void>;
  /** A second connection, for a second runner. Closed by `drop`. */
  connect(): Promise<Connection>;
  drop(): Promise<void>;
}

const databases = new Set<BareDatabase>();

/** Drops those that a test has not dropped itself. */
export const dropBareDatabases = async (): Promise<void> => {
  await Promise.all([...databases].map((database) => database.drop()));
};

export async function aBareDatabase(): Promise<BareDatabase> {
  const name = `shop_bare_${randomBytes(4).toString('hex')}`;
  await write(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '' } = testEnv();
  const opened: Connection[] = [];
  async function connect(): Promise<Connection> {
    const connection = await createConnection({
      host: DB_HOST,
      port: Number(DB_PORT),
      user: DB_USER,
      password: DB_PASS,
      database: name,
      multipleStatements: true,
    });
    // A test destroys some of them.
    connection.on('error', () => undefined);
    opened.push(connection);
    return connection;
  }
  const connection = await connect();
  const database: BareDatabase = {
    name,
    connection,
    connect,
    async rows(statement, values = []) {
      const [rows] = await connection.query<RowDataPacket[]>(statement, values);
      return rows;
    },
    async load(file) {
      await connection.query(await readFile(path.join(repoRoot, file), 'utf8'));
    },
    async drop() {
      databases.delete(database);
      for (const one of opened) one.destroy();
      await write(`DROP DATABASE ${name}`);
    },
  };
  databases.add(database);
  return database;
}

/**
 * Each table as SHOW CREATE TABLE shows it, without what depends on the rows and on the order in which indexes were added.
 * schema_migrations is included.
 */
export async function tablesOf({ rows }: BareDatabase): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const row of await rows("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")) {
    const table = String(Object.values(row)[0]);
    const [shown] = await rows(`SHOW CREATE TABLE ${table}`);
    const lines = String(shown?.['Create Table'])
      .replace(/ AUTO_INCREMENT=\d+/, '')
      .split('\n')
      .map((line) => line.trim().replace(/,$/, ''));
    const isIndex = (line: string) => /^(UNIQUE )?KEY |^CONSTRAINT /.test(line);
    tables[table] = [...lines.filter((line) => !isIndex(line)), ...lines.filter(isIndex).sort()];
  }
  return tables;
}
