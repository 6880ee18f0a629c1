import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aBareDatabase, aGate, type BareDatabase } from '@shop/testing';
import { migrate, migrationStatus, readMigrations } from '.';

let database: BareDatabase;
let folder: string;

beforeEach(async () => {
  database = await aBareDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});

const put = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
const run = async () => await migrate(database.connection, await readMigrations(folder));
const namesOf = async () => (await readMigrations(folder)).map(({ name }) => name);

test('applies the files in order of their numbers, each once', async () => {
  put('0002_b.sql', "INSERT INTO t VALUES (2, 'a;b');\nINSERT INTO t VALUES (3, '');\n");
  put('0001_a.sql', '-- A comment;\nCREATE TABLE t (\n  id INT PRIMARY KEY,\n  name TEXT\n);\n');
  expect(await run()).toEqual(['0001_a.sql', '0002_b.sql']);
  put('0003_c.cjs', "exports.up = (c) => c.query('INSERT INTO t VALUES (4, NULL)');");
  expect(await run()).toEqual(['0003_c.cjs']);
  expect(await run()).toEqual([]);
  expect(await database.rows('SELECT id FROM t ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }, { id: 4 }]);
  expect(await migrationStatus(database.connection, await readMigrations(folder))).toMatchObject({
    applied: [{ name: '0001_a.sql' }, { name: '0002_b.sql' }, { name: '0003_c.cjs' }],
    pending: [],
    unknown: [],
  });
});

test('guards skip what exists, and what does not', async () => {
  put('0001_a.sql', 'CREATE TABLE p (id INT PRIMARY KEY);\nCREATE TABLE t (id INT, KEY t_id (id));\n');
  put(
    '0002_b.sql',
    [
      '-- unless column t.name',
      'ALTER TABLE t ADD COLUMN name INT;',
      '-- unless column t.name',
      'ALTER TABLE t ADD COLUMN name INT;',
      '-- if index t.t_none',
      'ALTER TABLE t DROP INDEX t_none;',
      '-- unless foreign key t.t_p',
      'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (id) REFERENCES p (id);',
      '-- unless foreign key t.t_p',
      'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (id) REFERENCES p (id);',
      '-- if foreign key t.t_p',
      'ALTER TABLE t DROP FOREIGN KEY t_p;',
      '-- if index t.t_id',
      'ALTER TABLE t DROP INDEX t_id;',
    ].join('\n'),
  );
  await run();
  const [shown] = await database.rows('SHOW CREATE TABLE t');
  expect(shown?.['Create Table']).toMatch(/`name`/);
  expect(shown?.['Create Table']).not.toMatch(/t_id|t_p/);
});

test('a step that asks for it runs again in each later run', async () => {
  put('0001_a.sql', 'CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY);');
  put('0002_b.cjs', "exports.everyRun = true; exports.up = (c) => c.query('INSERT INTO t VALUES ()');");
  await run();
  expect(await run()).toEqual([]);
  expect(await database.rows('SELECT id FROM t')).toEqual([{ id: 1 }, { id: 2 }]);
});

test('a file that names the one that it replaces is as good, and is not run again', async () => {
  put('0001_a.sql', 'CREATE TABLE t (id INT);\n');
  await run();
  const [applied] = await readMigrations(folder);
  const replacement = (checksum = '') => `-- replaces: ${checksum}\n\nCREATE TABLE t (id INT) COMMENT 'better';\n`;
  put('0001_a.sql', replacement(applied?.checksum));
  expect(await run()).toEqual([]);
  put('0001_a.sql', replacement('0'.repeat(64)));
  await expect(run()).rejects.toThrow(/^0001_a\.sql was changed after it was applied/);
});

test('a file that was changed after it was applied stops the run, and is named', async () => {
  put('0001_a.sql', 'CREATE TABLE t (id INT);');
  await run();
  put('0001_a.sql', 'CREATE TABLE t (id BIGINT);');
  put('0002_b.sql', 'CREATE TABLE u (id INT);');
  await expect(run()).rejects.toThrow(/^0001_a\.sql was changed after it was applied/);
  expect(await database.rows("SHOW TABLES LIKE 'u'")).toEqual([]);
});

test('a statement that fails names its file, and nothing after it runs', async () => {
  put('0001_a.sql', 'CREATE TABLE t (id INT);');
  put('0002_b.sql', 'ALTER TABLE missing ADD COLUMN id INT;');
  put('0003_c.sql', 'CREATE TABLE u (id INT);');
  await expect(run()).rejects.toThrow(/^0002_b\.sql failed: .*missing.*Run it again/);
  expect(await database.rows('SELECT name FROM schema_migrations')).toEqual([{ name: '0001_a.sql' }]);
  put('0002_b.sql', 'ALTER TABLE t ADD COLUMN name INT;');
  expect(await run()).toEqual(['0002_b.sql', '0003_c.sql']);
});

test('a migration that the server ended in a deadlock is tried again, and leaves nothing of the first try', async () => {
  put('0001_a.sql', 'CREATE TABLE tries (id INT AUTO_INCREMENT PRIMARY KEY);\nCREATE TABLE t (id INT);');
  put(
    '0002_b.cjs',
    `exports.up = async (connection) => {
       const [{ insertId: tries }] = await connection.query('INSERT INTO tries VALUES ()');
       await connection.query('START TRANSACTION');
       await connection.query('INSERT INTO t VALUES (?)', [tries]);
       if (tries < 3) await connection.query("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = ?", [tries === 1 ? 1213 : 1205]);
       await connection.query('COMMIT');
     };`,
  );
  expect(await run()).toEqual(['0001_a.sql', '0002_b.cjs']);
  expect(await database.rows('SELECT id FROM t')).toEqual([{ id: 3 }]);
});

test('gives up waiting for another runner, and says which connection that is', async () => {
  put('0001_a.cjs', 'exports.up = () => globalThis.released;');
  const migrations = await readMigrations(folder);
  const gate = aGate();
  Object.assign(globalThis, { released: gate.passed });
  const [first] = await database.rows('SELECT CONNECTION_ID() AS id');
  const begun = new Promise(
    (resolve) => void migrate(database.connection, migrations, { log: resolve }).catch(resolve),
  );
  await begun;
  const second = migrate(await database.connect(), migrations, { lockWaitSeconds: 0 });
  await expect(second).rejects.toThrow(`end its connection on the server with KILL ${first?.id}.`);
  gate.open();
  expect(await migrate(await database.connect(), migrations)).toEqual([]);
});

test.each([
  ['two files with one number', ['0001_a.sql', '0001_b.sql'], 'SELECT 1;', /two migrations have the number 0001/],
  ['a name without a number', ['first.sql'], 'SELECT 1;', /first\.sql is not named like/],
  ['a file without a semicolon', ['0001_a.sql'], 'SELECT 1', /0001_a\.sql does not end with a semicolon/],
  [
    'a guard with a mistake',
    ['0001_a.sql'],
    '-- unless columm t.a\nSELECT 1;',
    /"-- unless columm t\.a" is not a guard/,
  ],
  ['a guard without a statement', ['0001_a.sql'], 'SELECT 1;\n-- if index t.a\n', /ends with a guard/],
])('%s is an error', async (_, names, text, message) => {
  for (const name of names) put(name, text);
  await expect(namesOf()).rejects.toThrow(message);
});
