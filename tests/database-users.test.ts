import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Env } from '@shop/core/config';
import { coreRights } from '@shop/core/service';
import { type ServiceName, serviceNames, services } from '@shop/shop';
import { storeService } from '@shop/store';
import { applySchema, repoRoot } from '@shop/test-servers';
import { aBareDatabase, dropBareDatabases, ownLoginOf, ownUsers, rows, startApp, testEnv, write } from '@shop/testing';
import { type Connection, createConnection } from 'mysql2/promise';

/*
 * The rights of the services' database users. That they suffice is shown by all other tests, whose services run with these
 * users.
 */

const tablesOf = (name: ServiceName) => ({ ...coreRights, ...services[name].tables, ...services[name].otherTables });
/** unfinished_restore exists only during a restore. */
const allTables = [...new Set(serviceNames.flatMap((name) => Object.keys(tablesOf(name))))]
  .filter((table) => table !== 'unfinished_restore')
  .sort();

/** Statements that change nothing. Their rights are checked first. */
const attempts = (table: string, key: string) => ({
  SELECT: `SELECT 1 FROM ${table} LIMIT 0`,
  INSERT: `INSERT INTO ${table} (${key}) SELECT NULL FROM (SELECT 1) AS one WHERE 1 = 0`,
  UPDATE: `UPDATE ${table} SET ${key} = DEFAULT WHERE 1 = 0`,
  DELETE: `DELETE FROM ${table} WHERE 1 = 0`,
});

const TABLE_DENIED = 1142;
const COLUMN_DENIED = 1143;
const NO_DEFAULT_VALUE = 1364;

const isRefused = (connection: Connection, statement: string): Promise<boolean> =>
  connection.query(statement).then(
    () => false,
    ({ errno, message }: NodeJS.ErrnoException) => {
      // A missing value is found after the rights.
      if (errno === NO_DEFAULT_VALUE) return false;
      if (errno !== TABLE_DENIED && errno !== COLUMN_DENIED) throw new Error(message);
      return true;
    },
  );

const firstColumn = async (table: string) => {
  const [row] = await rows<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = ? AND ordinal_position = 1`,
    [table],
  );
  return row?.name ?? '';
};

async function connectAs(name: ServiceName): Promise<Connection> {
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '', DB_NAME = '' } = testEnv(ownLoginOf(name));
  return await createConnection({
    host: DB_HOST,
    port: Number(DB_PORT),
    user: DB_USER,
    password: DB_PASS,
    database: DB_NAME,
  });
}

afterAll(dropBareDatabases);

describe.each(serviceNames)('the user of the %s service', (name) => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await connectAs(name);
  });
  afterAll(() => connection.destroy());

  test.each(allTables)('has the declared rights on %s, and no others', async (table) => {
    const declared: readonly string[] =
      new Map<string, readonly string[]>(Object.entries(tablesOf(name))).get(table) ?? [];
    const allowed: string[] = [];
    for (const [right, statement] of Object.entries(attempts(table, await firstColumn(table)))) {
      if (!(await isRefused(connection, statement))) allowed.push(right);
    }
    expect(allowed).toEqual(declared.filter((right) => ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].includes(right)));
    for (const right of declared) {
      const [, column] = /^UPDATE \((.*)\)$/.exec(right) ?? [];
      if (column)
        expect(await isRefused(connection, `UPDATE ${table} SET ${column} = DEFAULT WHERE 1 = 0`)).toBe(false);
    }
  });

  test.each(['CREATE TABLE mine (id INT)', 'DROP TABLE users', 'SELECT * FROM mysql.user'])(
    'may not: %s',
    async (sql) => {
      expect(await isRefused(connection, sql)).toBe(true);
    },
  );
});

test('npm run migrate sets up the users that the settings name', async () => {
  const database = await aBareDatabase();
  const user = `migrate${randomBytes(3).toString('hex')}_store`;
  const { DB_HOST, DB_PORT, DB_USER, DB_PASS } = testEnv();
  const login = { DB_HOST, DB_PORT, DB_USER, DB_PASS, DB_NAME: database.name, ENV_FILE: '/dev/null' };
  const migrate = (env: Env) =>
    promisify(execFile)(process.execPath, [path.join(repoRoot, 'packages/shop/dist/migrate-main.js')], {
      env: { PATH: process.env.PATH, ...login, ...env },
    });
  const store = { STORE_DB_USER: user, STORE_DB_PASS: 'a password' };
  try {
    expect((await migrate(store)).stdout).toContain(`database user ${user}: rights on tables set\n`);
    expect((await migrate(store)).stdout).not.toContain(user);
    await expect(migrate({ ...store, FILE_DB_USER: user })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('FILE_DB_USER: is the user of store too'),
    });
    const app = await startApp(storeService, { DB_NAME: database.name, DB_USER: user, DB_PASS: 'a password' });
    await app.http.get('/ready').expect(200);
    await app.close();
  } finally {
    await write('DROP USER IF EXISTS ?', [user]);
  }
});

test('a service with its own user is not ready during a restore', async () => {
  const database = await aBareDatabase();
  const prefix = `restore${randomBytes(3).toString('hex')}_`;
  const env = ownUsers(prefix);
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '' } = testEnv();
  const owner = { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASS, database: database.name };
  try {
    await applySchema(owner, { env, seed: false });
    const settings = { DB_NAME: database.name, DB_USER: env.STORE_DB_USER, DB_PASS: env.STORE_DB_PASS };
    await database.connection.query('CREATE TABLE unfinished_restore (id INT)');
    const app = await startApp(storeService, settings);
    expect((await app.http.get('/ready').expect(503)).body.code).toBe('restore_unfinished');
    await database.connection.query('DROP TABLE unfinished_restore');
    await app.http.get('/ready').expect(200);
    await app.close();
  } finally {
    for (const name of serviceNames) await write('DROP USER IF EXISTS ?', [`${prefix}${name}`]);
  }
});
