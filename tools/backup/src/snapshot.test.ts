import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import { startMysql } from '@shop/test-servers';
import { aGate, dropBareDatabases, eventually, rows as rowsOfSuite } from '@shop/testing';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { aDatabaseFrom, aShopToBackUp } from '../tests/shop';
import { connect } from './connect';
import { readSettings } from './settings';
import { openSnapshot } from './snapshot';

afterEach(dropBareDatabases);

/** Holds a backup before it stores its first table. */
async function aHeldBackup(shop: Awaited<ReturnType<typeof aShopToBackUp>>) {
  const [reached, gate] = [aGate(), aGate()];
  const target = {
    ...shop.target,
    async put(...args: Parameters<typeof shop.target.put>) {
      reached.open();
      await gate.passed;
      return await shop.target.put(...args);
    },
  };
  const finished = shop.backup({ target });
  await Promise.race([reached.passed, finished]);
  return { finished, release: gate.open };
}

describe('one at a time', () => {
  test('a second backup of the same database fails', async () => {
    const shop = await aShopToBackUp();
    const first = await aHeldBackup(shop);
    await expect(shop.backup()).rejects.toThrow(/^another backup of this database is running\. .* with KILL \d+\.$/);
    first.release();
    await first.finished;
    await shop.backup();
  });

  test('backups of two databases run at the same time', async () => {
    const [shop, other] = [await aShopToBackUp(), await aShopToBackUp()];
    const first = await aHeldBackup(shop);
    await other.backup();
    first.release();
    await first.finished;
  });

  test('no migration starts while the tables are read, and no backup while they are migrated', async () => {
    const shop = await aShopToBackUp();
    const migrations = await readMigrations(migrationsFolder);
    const held = await aHeldBackup(shop);
    const migrator = await shop.database.connect();
    await expect(migrate(migrator, migrations, { lockWaitSeconds: 0 })).rejects.toThrow(
      /^another process is migrating or backing up this database, and has not finished within 0 s/,
    );
    held.release();
    await held.finished;
    const [reached, gate] = [aGate(), aGate()];
    const up = async () => {
      reached.open();
      await gate.passed;
    };
    const slow = { name: '9999_slow.cjs', checksum: '', replaced: [], everyRun: false, up };
    const migrating = migrate(migrator, [...migrations, slow]);
    await reached.passed;
    await expect(shop.backup({ migrationWaitSeconds: 0 })).rejects.toThrow(
      'the database is being migrated, for more than 0 s',
    );
    const waiting = shop.backup();
    gate.open();
    await Promise.all([migrating, waiting]);
  });
});

/** The server of the suite if it writes a binary log, otherwise one of our own that does. */
async function aServerWithBinaryLog() {
  const [suite] = await rowsOfSuite<{ logBin: number }>('SELECT @@log_bin AS logBin');
  if (suite?.logBin === 1) return { env: {}, stop: async () => undefined };
  const server = await startMysql({
    dir: path.join(process.env.SHOP_TEST_DIR ?? '', 'binlog-server'),
    superuser: true,
    dieWithParent: true,
    extraArgs: ['--log-bin=binlog', '--server-id=1'],
  });
  const { host, port, user, password } = server.settings;
  const env = { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASS: password };
  return { env, stop: () => server.stop() };
}

const aName = () => `backup_${randomBytes(4).toString('hex')}`;

describe('the position of the binary log', () => {
  let server: Awaited<ReturnType<typeof aServerWithBinaryLog>>;
  beforeAll(async () => {
    server = await aServerWithBinaryLog();
  });
  afterAll(() => server.stop());

  async function connections(count: number): Promise<Connection[]> {
    const settings = readSettings({ ...(await aShopToBackUp()).env, ...server.env, DB_NAME: 'mysql' });
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const { DB_HOST: host, DB_PORT: port, DB_USER: user, DB_PASS: password } = settings;
        return await createConnection({ host, port, user, password });
      }),
    );
  }

  test('is exactly that of the snapshot, while many write', async () => {
    const [reader, ...writers] = await connections(5);
    if (!reader) throw new Error('no connection');
    const name = aName();
    await reader.query(`CREATE DATABASE ${name}`);
    await reader.query(`CREATE TABLE ${name}.numbers (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, n BIGINT)`);
    let stopping = false;
    let written = 0;
    const writing = writers.map(async (writer, lane) => {
      // So that the events of the log show the statements, whatever format the server uses.
      const [[found]] = await writer.query<RowDataPacket[]>("SHOW VARIABLES LIKE 'binlog_%_events'");
      if (found?.Variable_name === 'binlog_rows_query_log_events')
        await writer.query(`SET SESSION ${found.Variable_name} = 1`);
      for (let n = 0; !stopping; n += 1) {
        await writer.query(`INSERT INTO ${name}.numbers (n) VALUES (${n * 10 + lane})`);
        written += 1;
      }
    });
    try {
      const goal = () => eventually('some writes', () => written > 50);
      await goal();
      const env = { ...(await aShopToBackUp()).env, ...server.env, DB_NAME: name };
      for (let round = 0; round < 5; round += 1) {
        written = 0;
        const connection = await connect(readSettings(env));
        const { binlog } = await openSnapshot(connection.promise());
        await goal();
        const [inSnapshot] = await connection.promise().query<RowDataPacket[]>('SELECT n FROM numbers');
        connection.destroy();
        const [events] = await reader.query<RowDataPacket[]>('SHOW BINLOG EVENTS IN ? FROM ?', [
          binlog?.file,
          binlog?.position,
        ]);
        const info = events.map((event) => String(event.Info)).join('\n');
        const later = new Set([...info.matchAll(/numbers \(n\) VALUES \((\d+)\)/g)].map(([, n]) => Number(n)));
        const [all] = await reader.query<RowDataPacket[]>(`SELECT n FROM ${name}.numbers`);
        const before = new Set(inSnapshot.map(({ n }) => Number(n)));
        expect([...before].filter((n) => later.has(n))).toEqual([]);
        const missing = all.map(({ n }) => Number(n)).filter((n) => !before.has(n) && !later.has(n));
        // What was written after the events were read.
        const newest = [0, 1, 2, 3].map((lane) => Math.max(...[...later].filter((n) => n % 10 === lane)));
        expect(missing.filter((n) => n < (newest[n % 10] ?? 0))).toEqual([]);
      }
    } finally {
      stopping = true;
      await Promise.all(writing);
    }
    await reader.query(`DROP DATABASE ${name}`);
    for (const connection of [reader, ...writers]) connection.destroy();
  });

  test('a long statement delays the snapshot, and stops no writer for more than a second', async () => {
    const [long, writer] = await connections(2);
    if (!long || !writer) throw new Error('no connection');
    const name = aName();
    await writer.query(`CREATE DATABASE ${name}`);
    await writer.query(`CREATE TABLE ${name}.numbers (n BIGINT)`);
    await writer.query(`INSERT INTO ${name}.numbers VALUES (1)`);
    const [[{ id } = { id: 0 }]] = await long.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
    const running = long.query(`SELECT SLEEP(1000) FROM ${name}.numbers FOR UPDATE`).catch(() => undefined);
    const processes = async () =>
      (await writer.query<RowDataPacket[]>('SHOW PROCESSLIST'))[0].map((row) => String(row.Info ?? ''));
    await eventually('the statement to run', async () =>
      (await processes()).some((info) => info.startsWith('SELECT SLEEP')),
    );
    const env = { ...(await aShopToBackUp()).env, ...server.env, DB_NAME: name };
    const connection = await connect(readSettings(env));
    const snapshot = openSnapshot(connection.promise());
    // On MySQL this waits for the lock of all tables, until that gives up.
    for (let n = 2; n < 5; n += 1) await writer.query(`INSERT INTO ${name}.numbers VALUES (${n})`);
    await writer.query(`KILL QUERY ${id}`);
    await running;
    expect((await snapshot).binlog).toMatchObject({ file: expect.any(String), position: expect.any(Number) });
    await writer.query(`INSERT INTO ${name}.numbers VALUES (9)`);
    connection.destroy();
    await writer.query(`DROP DATABASE ${name}`);
    for (const one of [long, writer]) one.destroy();
  });
});

test('a server without a binary log is backed up, and the command says what that means', async () => {
  const [suite] = await rowsOfSuite<{ logBin: number }>('SELECT @@log_bin AS logBin');
  const shop = await aShopToBackUp();
  const manifest = await shop.backup();
  if (suite?.logBin === 1) {
    expect(manifest.binlog).toMatchObject({ file: expect.any(String) });
    return;
  }
  expect(manifest.binlog).toBeNull();
  expect(shop.printed.join()).toContain(
    'the server writes no binary log (log_bin): restoring is possible to the moment',
  );
  expect((await aDatabaseFrom(shop.target, manifest)).name).toBeTruthy();
});
