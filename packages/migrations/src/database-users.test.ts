import { randomBytes } from 'node:crypto';
import { aBareDatabase, type BareDatabase, dropBareDatabases, rows, testEnv, write } from '@shop/testing';
import { type Connection, createConnection } from 'mysql2/promise';
import { applyDatabaseUsers, type DatabaseUser } from '.';

const users: string[] = [];
let database: BareDatabase;
let log: string[];

beforeEach(async () => {
  log = [];
  database = await aBareDatabase();
  await database.connection.query(`CREATE TABLE one (id INT PRIMARY KEY, count INT NOT NULL DEFAULT 0);
    CREATE TABLE other LIKE one; INSERT INTO one VALUES (1, 0)`);
});
afterEach(async () => {
  await dropBareDatabases();
  for (const user of users.splice(0)) await write('DROP USER IF EXISTS ?', [user]);
});

function aDatabaseUser(tables: DatabaseUser['tables'], password = `it's "a" \\ pass?`): DatabaseUser {
  const user = `users_test_${randomBytes(4).toString('hex')}`;
  users.push(user);
  return { user, password, tables };
}

const apply = (user: DatabaseUser, connection: Connection = database.connection) =>
  applyDatabaseUsers(connection, [user], (line) => log.push(line));

/** Runs a statement as the user. @returns `done`, or the server's error code */
async function as({ user, password }: DatabaseUser, statement: string): Promise<string> {
  const { DB_HOST = '', DB_PORT } = testEnv();
  const login = { host: DB_HOST, port: Number(DB_PORT), user, password, database: database.name };
  try {
    const connection = await createConnection(login);
    await connection.query(statement).finally(() => connection.destroy());
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const isMysql = async () => {
  const [row] = await rows<{ version: string }>('SELECT VERSION() AS version');
  return !/mariadb/i.test(row?.version ?? '');
};

const REFUSED = 'ER_TABLEACCESS_DENIED_ERROR';

test('a user can do what it needs and nothing else, and a repetition changes nothing', async () => {
  const user = aDatabaseUser({ one: ['SELECT', 'UPDATE (count)'] });
  await apply(user);
  expect(await as(user, 'SELECT * FROM one FOR UPDATE')).toBe('done');
  expect(await as(user, 'UPDATE one SET count = count + 1')).toBe('done');
  expect(await as(user, 'UPDATE one SET id = 2')).toBe('ER_COLUMNACCESS_DENIED_ERROR');
  expect(await as(user, 'INSERT INTO one VALUES (2, 0)')).toBe(REFUSED);
  expect(await as(user, 'SELECT * FROM other')).toBe(REFUSED);
  expect(await as(user, 'CREATE TABLE mine (id INT)')).toBe(REFUSED);
  expect(log).not.toEqual([]);
  log = [];
  await apply(user);
  expect(log).toEqual([]);
});

test('rights that are no longer needed are revoked', async () => {
  const user = aDatabaseUser({ one: ['SELECT', 'INSERT', 'UPDATE (count)'], other: ['SELECT'] });
  await apply(user);
  await apply({ ...user, tables: { one: ['SELECT', 'DELETE'] } });
  expect(await as(user, 'SELECT * FROM one')).toBe('done');
  expect(await as(user, 'DELETE FROM one')).toBe('done');
  expect(await as(user, 'INSERT INTO one VALUES (2, 0)')).toBe(REFUSED);
  expect(await as(user, 'UPDATE one SET count = 1')).toBe(REFUSED);
  expect(await as(user, 'SELECT * FROM other')).toBe(REFUSED);
});

test('a new password works at once. On MySQL, the old one works until the next run', async () => {
  const user = aDatabaseUser({ one: ['SELECT'] });
  await apply(user);
  await apply(user);
  const changed = { ...user, password: 'another' };
  await apply(changed);
  expect(await as(changed, 'SELECT * FROM one')).toBe('done');
  expect(await as(user, 'SELECT * FROM one')).toBe((await isMysql()) ? 'done' : 'ER_ACCESS_DENIED_ERROR');
  await apply(changed);
  expect(await as(changed, 'SELECT * FROM one')).toBe('done');
  expect(await as(user, 'SELECT * FROM one')).toBe('ER_ACCESS_DENIED_ERROR');
});

test('the rights on the mark of an unfinished restore exist before the table does', async () => {
  const user = aDatabaseUser({ unfinished_restore: ['SELECT'] });
  await apply(user);
  expect(await as(user, 'CREATE TABLE unfinished_restore (id INT)')).toBe(REFUSED);
  await database.connection.query('CREATE TABLE unfinished_restore (id INT)');
  expect(await as(user, 'SELECT * FROM unfinished_restore')).toBe('done');
});

test('an error names the user, and the rights that DB_USER lacks', async () => {
  const owner = aDatabaseUser({ one: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] });
  await apply(owner);
  const { host, port } = database.connection.config;
  const { user, password } = owner;
  const connection = await createConnection({
    host: host ?? '',
    port: port ?? 0,
    user,
    password,
    database: database.name,
  });
  const wanted = aDatabaseUser({ one: ['SELECT'] });
  await expect(apply(wanted, connection)).rejects.toThrow(
    new RegExp(
      `^the database user ${wanted.user} cannot be set up: Access denied; .*CREATE USER.*: see docs/settings\\.md`,
    ),
  );
  connection.destroy();
  await expect(apply(aDatabaseUser({ no_such_table: ['SELECT'] }))).rejects.toThrow(/no_such_table' doesn't exist$/);
});
