import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataDir, startMysql } from '@shop/test-servers';
import {
  aDatabase,
  anAddress,
  aProduct,
  aUser,
  closeDatabases,
  closeTestDatabase,
  dropBareDatabases,
  retryWhileBusy,
  rows,
  startApp,
  write,
} from '@shop/testing';
import { countFaults, transactionService, verifyStock } from '@shop/transaction';
import { aDatabaseName, databaseExists, dropNamedDatabases, run } from '../tests/commands';
import { aShopToBackUp, type ShopToBackUp } from '../tests/shop';

let stopServer: () => Promise<unknown> = async () => undefined;

/** The suite's own server writes no binary log. A given one (TEST_DB_HOST) is used if it does. */
beforeAll(async () => {
  const [row] = await rows<{ logBin: number }>('SELECT @@log_bin AS logBin');
  if (Number(row?.logBin) === 1) return;
  const templates = path.join(dataDir, 'templates');
  const dir = await mkdtemp(path.join(tmpdir(), 'binlog-'));
  const server = await startMysql({ dir, templates, superuser: true, binaryLog: true, dieWithParent: true });
  stopServer = () => server.stop();
  await useServer(server.settings);
});

afterEach(dropBareDatabases);
afterEach(dropNamedDatabases);
afterAll(async () => {
  await closeDatabases();
  await closeTestDatabase();
  await stopServer();
});

/** The factories and the services under test use this database from now on. */
async function useServer(settings: { host: string; port: number; user: string; password: string; database: string }) {
  await closeTestDatabase();
  Object.assign(process.env, {
    SHOP_TEST_DB_HOST: settings.host,
    SHOP_TEST_DB_PORT: String(settings.port),
    SHOP_TEST_DB_USER: settings.user,
    SHOP_TEST_DB_PASS: settings.password,
    SHOP_TEST_DB_NAME: settings.database,
  });
}

/** A shop in a database of its own, which the factories use. */
async function aShop(): Promise<ShopToBackUp> {
  const shop = await aShopToBackUp();
  await closeTestDatabase();
  process.env.SHOP_TEST_DB_NAME = shop.database.name;
  return shop;
}

const iso = (ms: number) => new Date(ms).toISOString().replace('.000', '');

/** The first second that begins after everything that is committed now, once it has begun. */
async function theNextSecond(): Promise<number> {
  const second = Math.ceil((Date.now() + 1) / 1000) * 1000;
  while (Date.now() < second) await sleep(second - Date.now());
  return second;
}

const restoreUntil = async (shop: ShopToBackUp, until: number, database: string) =>
  await run(shop.env, 'restore', shop.folder, '--database', database, '--until', iso(until));

test('restores exactly the orders that were committed before a second, while others are placed all the time', async () => {
  const shop = await aShop();
  const buyer = await aUser();
  const { id: address_id } = await anAddress(buyer);
  const [product, other] = [await aProduct({ stock: 100 }), await aProduct({ stock: 1_000_000 })];
  const app = await startApp(transactionService, { DB_NAME: shop.database.name });
  const order = async (product_id: number): Promise<number> => {
    const json = { address_id, items: [{ product_id, quantity: 1 }] };
    const send = () => app.http.post('/api/v1/transactions').set(buyer.auth).send(json);
    const { status, body } = await retryWhileBusy(send);
    expect([status, body.code]).toEqual([201, undefined]);
    return Number(body.id);
  };
  const placed: { id: number; before: number }[] = [];
  let isBusy = true;
  const busy = (async () => {
    while (isBusy) await order(other.id);
  })();
  await shop.backup();
  await theNextSecond();
  for (let count = 0; count < 6; count += 1)
    placed.push({ id: await order(product.id), before: await theNextSecond() });
  isBusy = false;
  await busy;
  await app.close();

  for (const last of [0, 2, 4]) {
    const until = placed[last]?.before ?? 0;
    const name = aDatabaseName();
    expect(await restoreUntil(shop, until, name)).toMatchObject({ code: 0, stderr: '' });
    const ids = placed.map(({ id }) => id);
    const found = await rows<{ id: number }>(
      `SELECT id FROM ${name}.transactions WHERE id IN (${ids.join()}) ORDER BY id`,
    );
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, last + 1));
    const [late] = await rows<{ found: number }>(
      `SELECT COUNT(*) AS found FROM ${name}.transactions WHERE created_at >= FROM_UNIXTIME(?)`,
      [until / 1000],
    );
    expect(late?.found).toBe(0);
    const report = await verifyStock(aDatabase({ DB_NAME: name }).db);
    expect([report.orders > ids.length, countFaults(report)]).toEqual([true, 0]);
  }
});

test('brings back a dropped table, and repeats changes of tables and of every type of value', async () => {
  const shop = await aShop();
  await shop.backup();
  await theNextSecond();
  await shop.database.connection.query(`
    ALTER TABLE stores ADD COLUMN motto VARCHAR(50) NOT NULL DEFAULT 'none', ADD KEY stores_motto (motto);
    INSERT INTO stores (id, user_id, name, motto) VALUES (7, 7, '❤ Zoë', 'é'), (8, 7, 'gone', '');
    INSERT INTO products (id, store_id, name, description, price, stock) VALUES (1, 7, 'Mug', REPEAT('d', 60000), 9999999999.99, 5);
    UPDATE stores SET name = 'new' WHERE id = 7;
    DELETE FROM stores WHERE id = 8;
    BEGIN; DELETE FROM products; ROLLBACK;
    CREATE TABLE notes (id INT PRIMARY KEY, bytes VARBINARY(10), day DATE, at DATETIME(3), json JSON);
    INSERT INTO notes VALUES (1, X'00FF27', '2024-02-29', '2024-02-29 23:59:59.999', '{"a": [1, "é"]}'), (2, NULL, NULL, NULL, NULL)`);
  const until = await theNextSecond();
  const contentOf = async (database: string) => [
    await rows(`SELECT * FROM ${database}.stores`),
    await rows(`SELECT id, description, price, stock FROM ${database}.products`),
    await rows(`SELECT id, HEX(bytes), day, at, CAST(json AS CHAR) AS json FROM ${database}.notes`),
    await rows(`SHOW INDEX FROM ${database}.stores`).then((indexes) => indexes.length),
  ];
  const expected = await contentOf(shop.database.name);
  await shop.database.connection.query(
    'DROP TABLE notes, product_logs; DELETE FROM products; UPDATE stores SET motto = 1',
  );
  const name = aDatabaseName();
  expect(await restoreUntil(shop, until, name)).toMatchObject({ code: 0, stderr: '' });
  expect(await contentOf(name)).toEqual(expected);
  expect(await rows(`SELECT COUNT(*) AS count FROM ${name}.product_logs`)).toEqual([{ count: 0 }]);
  // The same from the beginning, under the old name, after the database was dropped.
  await shop.database.connection.query(`DROP DATABASE ${shop.database.name}`);
  expect(await restoreUntil(shop, until, shop.database.name)).toMatchObject({ code: 0, stderr: '' });
  expect(await contentOf(shop.database.name)).toEqual(expected);
});

describe('what is not possible fails before anything is changed:', () => {
  async function aLoggedShop() {
    const shop = await aShop();
    const manifest = await shop.backup();
    await theNextSecond();
    await write("INSERT INTO stores (user_id, name) VALUES (7, 'later')");
    const file = path.join(shop.folder, manifest.id, 'manifest.json');
    const change = async (facts: object) => await writeFile(file, JSON.stringify({ ...manifest, ...facts }));
    return { shop, manifest, change, until: await theNextSecond() };
  }
  type LoggedShop = Awaited<ReturnType<typeof aLoggedShop>>;

  const cases: Record<string, [prepare: (logged: LoggedShop) => Promise<number | undefined>, expected: RegExp]> = {
    'a time in the future': [async () => Date.now() + 3_600_000, /that time is in the future/],
    'a time before the first backup': [
      async ({ manifest }) => Date.parse(manifest.snapshotAt) - 60_000,
      /has no finished backup of a time before/,
    ],
    'a log that was deleted': [
      async ({ change }) => {
        await change({ binlog: { file: 'binlog.000000', position: 4 } });
        return undefined;
      },
      /needs the binary log from binlog\.000000 on, and the server has \S+ to \S+: the file was deleted/,
    ],
    'a log of another server': [
      async ({ change, manifest }) => {
        const [first] = await rows<{ Log_name: string }>('SHOW BINARY LOGS');
        await change({
          snapshotAt: '2020-01-01T00:00:00.000Z',
          binlog: { file: first?.Log_name, position: 4 },
          id: manifest.id,
        });
        return undefined;
      },
      /the server's binary log begins at \S+, after backup/,
    ],
    'a position beyond the log': [
      async ({ change, manifest }) => {
        await change({ binlog: { ...manifest.binlog, position: 4_000_000_000 } });
        return undefined;
      },
      /--until is not possible: /,
    ],
    'a backup without a position': [
      async ({ change }) => {
        await change({ binlog: null });
        return undefined;
      },
      /the server wrote no binary log \(log_bin\) at the time of backup/,
    ],
    'a statement that names its database': [
      async ({ shop }) => {
        await shop.database.connection.query(`ALTER TABLE ${shop.database.name}.stores ADD COLUMN motto INT`);
        return await theNextSecond();
      },
      /the statement "ALTER TABLE \S+\.stores ADD COLUMN motto INT" of \S+Z cannot be replayed into database/,
    ],
    'the end of the database': [
      async ({ shop }) => {
        await shop.database.connection.query(
          `DROP DATABASE ${shop.database.name}; CREATE DATABASE ${shop.database.name}`,
        );
        return await theNextSecond();
      },
      /the statement "DROP DATABASE \S+" of \S+Z cannot be replayed/,
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, [prepare, expected]) => {
    const logged = await aLoggedShop();
    const until = (await prepare(logged)) ?? logged.until;
    const name = aDatabaseName();
    const { code, stderr } = await restoreUntil(logged.shop, Math.floor(until / 1000) * 1000, name);
    expect([code, stderr]).toEqual([1, expect.stringMatching(expected)]);
    expect(await databaseExists(name)).toBe(false);
  });

  test('a missing right, which the error names', async () => {
    const { shop, until } = await aLoggedShop();
    const user = `low_${process.pid}`;
    await write(`CREATE USER ${user}@'%' IDENTIFIED BY 'low-password'`);
    await write(`GRANT ALL ON ${shop.database.name}.* TO ${user}@'%'`);
    const account = { DB_USER: user, DB_PASS: 'low-password', BACKUP_DB_USER: 'unused' };
    const name = aDatabaseName();
    const attempt = () => restoreUntil({ ...shop, env: { ...shop.env, ...account } }, until, name);
    for (;;) {
      const { code, stderr } = await attempt();
      if (code === 0) break;
      const [, grant] = /As root, run: (GRANT .*)\n$/.exec(stderr) ?? [];
      expect(grant).toBeDefined();
      expect(await databaseExists(name)).toBe(false);
      await write(String(grant));
    }
    await write(`DROP USER ${user}@'%'`);
  });
});
