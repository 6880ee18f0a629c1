import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Migration, migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import { repoRoot } from '@shop/test-servers';
import { aBareDatabase, type BareDatabase, dropBareDatabases, eventually, tablesOf, testEnv } from '@shop/testing';
import type { Connection } from 'mysql2/promise';

afterEach(dropBareDatabases);

let migrations: Migration[];
let expected: Record<string, string[]>;
beforeAll(async () => {
  migrations = await readMigrations(migrationsFolder);
  const database = await aBareDatabase();
  await database.load('sql/schema.sql');
  expected = await tablesOf(database);
});

const FIRST = 'tests/support/schemas/1-first.sql';
const rowsOfTheFirst = `
  INSERT INTO users (id, name, email) VALUES (7, 'Zoë', 'zoe@example.com');
  INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'WEIẞBROT');
  INSERT INTO products (id, store_id, name, description, price, stock) VALUES (1, 7, 'Mug', '', 1.00, 3), (2, 7, 'Cup', '', 1.00, 4)`;

async function anOldDatabase(): Promise<BareDatabase> {
  const database = await aBareDatabase();
  await database.load(FIRST);
  await database.connection.query(rowsOfTheFirst);
  return database;
}

async function expectMigrated(database: BareDatabase): Promise<void> {
  expect(await tablesOf(database)).toEqual(expected);
  expect(await database.rows('SELECT name FROM schema_migrations ORDER BY name')).toEqual(
    migrations.map(({ name }) => ({ name })),
  );
  expect(await database.rows('SELECT name_folded FROM products ORDER BY id')).toEqual([
    { name_folded: 'mug' },
    { name_folded: 'cup' },
  ]);
  expect(await database.rows('SELECT product_id, reason, quantity FROM stock_movements ORDER BY id')).toEqual([
    { product_id: 1, reason: 'initial', quantity: 3 },
    { product_id: 2, reason: 'initial', quantity: 4 },
  ]);
}

/** The server waits for its disk most of the time. */
const AT_ONCE = 8;

const isLookUp = (statement: string) => /^\s*(SELECT|SET|DO|START)\b/.test(statement);

/** Dies like a killed runner: after the server has run the `last`th statement that may change something, nothing follows. */
function dyingConnection(connection: Connection, last: number): { connection: Connection; died: () => boolean } {
  let count = 0;
  let dead = false;
  const query = async (statement: string, values?: unknown[]) => {
    const result = await connection.query(statement, values);
    if (isLookUp(statement)) return result;
    count += 1;
    if (count < last) return result;
    dead = true;
    connection.destroy();
    throw new Error('killed');
  };
  const proxy = new Proxy(connection, {
    get: (target, key) => (key === 'query' ? query : Reflect.get(target, key)),
  });
  return { connection: proxy, died: () => dead };
}

/** @returns whether it died after that many statements; if so, a second one has finished */
async function dieAfter(last: number): Promise<boolean> {
  const database = await anOldDatabase();
  const dying = dyingConnection(await database.connect(), last);
  const outcome = await migrate(dying.connection, migrations).catch((error: unknown) => error);
  if (!dying.died()) {
    expect(outcome).toEqual(migrations.map(({ name }) => name));
    return false;
  }
  expect(String(outcome)).toMatch(/killed/);
  await migrate(await database.connect(), migrations);
  await expectMigrated(database);
  return true;
}

test('a runner that died after any statement is followed by one that finishes', async () => {
  const deaths: boolean[] = [];
  while (!deaths.includes(false)) {
    const next = Array.from({ length: AT_ONCE }, (_, index) => deaths.length + index + 1);
    deaths.push(...(await Promise.all(next.map(dieAfter))));
    await dropBareDatabases();
  }
  // One for each statement, each row of schema_migrations, and each batch of the steps in JavaScript.
  expect(deaths.filter(Boolean).length).toBeGreaterThan(45);
});

const script = path.join(repoRoot, 'packages/shop/dist/migrate-main.js');
const envOf = ({ name }: BareDatabase) => ({ ...process.env, ...testEnv({ DB_NAME: name }) });
const runMigrate = (database: BareDatabase, args: string[] = [], program = script) =>
  promisify(execFile)(process.execPath, [program, ...args], { env: envOf(database) });

test('a process that is killed during a statement is followed by one that finishes', async () => {
  const database = await anOldDatabase();
  const reader = await database.connect();
  await reader.query('START TRANSACTION');
  await reader.query('SELECT COUNT(*) FROM products');
  const runner = spawn(process.execPath, [script], { env: envOf(database), stdio: 'ignore' });
  const exited = new Promise((resolve) => runner.once('exit', (_code, signal) => resolve(signal)));
  await eventually('the runner to wait for the reader', async () => {
    const waiting = await database.rows(
      "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock'",
    );
    return waiting.length === 1;
  });
  runner.kill('SIGKILL');
  expect(await exited).toBe('SIGKILL');
  await reader.query('COMMIT');
  await runMigrate(database);
  await expectMigrated(database);
});

test('of twelve processes that start at once on an empty database, one applies all', async () => {
  const database = await aBareDatabase();
  const outputs = await Promise.all(Array.from({ length: 12 }, () => runMigrate(database)));
  const applied = outputs.map(({ stdout }) => stdout.split('\n').filter((line) => line.startsWith('applying')).length);
  expect(applied.sort((a, b) => b - a)).toEqual([migrations.length, ...Array.from({ length: 11 }, () => 0)]);
  expect(await tablesOf(database)).toEqual(expected);
});

test('of twelve runners on a database of the first version, one applies all, twenty times out of twenty', async () => {
  const race = async () => {
    const database = await anOldDatabase();
    const connections = await Promise.all(Array.from({ length: 12 }, () => database.connect()));
    const applied = await Promise.all(connections.map((connection) => migrate(connection, migrations)));
    expect(applied.filter((names) => names.length > 0)).toEqual([migrations.map(({ name }) => name)]);
    await expectMigrated(database);
    await database.drop();
  };
  const inTurn = async (races: number) => {
    for (let index = 0; index < races; index++) await race();
  };
  await Promise.all([inTurn(5), inTurn(5), inTurn(5), inTurn(5)]);
});

describe('npm run migrate', () => {
  test('--status and --dry-run change nothing', async () => {
    const database = await anOldDatabase();
    const before = await tablesOf(database);
    const { stdout } = await runMigrate(database, ['--dry-run']);
    expect(stdout).toBe(migrations.map(({ name }) => `would apply ${name}\n`).join(''));
    await expect(runMigrate(database, ['--status'])).rejects.toMatchObject({
      code: 1,
      stdout: migrations.map(({ name }) => `missing              ${name}\n`).join(''),
    });
    expect(await tablesOf(database)).toEqual(before);

    const { name, connection } = database;
    const { DB_HOST, DB_PORT } = testEnv();
    expect((await runMigrate(database)).stdout).toMatch(
      `${name} at ${DB_HOST}:${DB_PORT} is up to date, ${migrations.length} migrations applied\n`,
    );
    expect((await runMigrate(database, ['--dry-run'])).stdout).toBe('nothing to apply\n');
    await connection.query("INSERT INTO schema_migrations (name, checksum) VALUES ('9999_newer.sql', '')");
    const status = (await runMigrate(database, ['--status'])).stdout.trimEnd().split('\n');
    expect(status).toHaveLength(migrations.length + 1);
    expect(status[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}0001_first_tables\.sql$/);
    expect(status.at(-1)).toBe('of a newer release   9999_newer.sql');
  });

  test('refuses to run if a file was changed after it was applied, and names it', async () => {
    const database = await aBareDatabase();
    await database.load('sql/schema.sql');
    await database.connection.query(
      "UPDATE schema_migrations SET checksum = 'another' WHERE name = '0006_mail_quotas.sql'",
    );
    for (const args of [[], ['--status'], ['--dry-run']]) {
      await expect(runMigrate(database, args)).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^migrate failed: 0006_mail_quotas\.sql was changed after it was applied/),
      });
    }
  });

  test('says which database it cannot use, and rejects unknown options', async () => {
    const database = await aBareDatabase();
    await expect(runMigrate({ ...database, name: 'no_such_database' })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^migrate failed: the database no_such_database at .* cannot be used: /),
    });
    await expect(runMigrate(database, ['--dryrun'])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^usage: npm run migrate/),
    });
  });
});
