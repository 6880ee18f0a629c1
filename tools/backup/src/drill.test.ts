import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { dropBareDatabases, eventually, rows, write } from '@shop/testing';
import { aDatabaseName, databaseExists, dropNamedDatabases, run, runUpTo, tablesIn } from '../tests/commands';
import { aShopToBackUp } from '../tests/shop';

afterEach(dropBareDatabases);
afterEach(dropNamedDatabases);

/** A shop with a product whose stock adds up, a backup, and the name of its scratch database. */
async function aBackedUpShop() {
  const shop = await aShopToBackUp();
  await shop.database.connection.query(`
    INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'Store');
    INSERT INTO products (id, store_id, name, description, price, stock) VALUES (1, 7, 'Mug', '', 1, 5);
    INSERT INTO stock_movements (product_id, reason, quantity) VALUES (1, 'initial', 5)`);
  const upload = await shop.upload('hello');
  const manifest = await shop.backup();
  return { ...shop, manifest, uploaded: upload, scratch: aDatabaseName(`${shop.database.name}_drill`) };
}

const drills = async (shop: { recorded(): Promise<Record<string, unknown>[]> }) =>
  (await shop.recorded()).filter(({ kind }) => kind === 'restore_drill');

test('a drill restores the newest backup, checks it, says how long it took, and is recorded', async () => {
  const shop = await aBackedUpShop();
  const { code, stdout, stderr } = await run(shop.env, 'drill');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^1 products, 0 transactions: all stock adds up$/m);
  expect(stdout).toMatch(/^1 of 1 uploads read and checked$/m);
  expect(stdout).toMatch(/^recovery time: \d+ s/m);
  expect(stdout).toMatch(/^data loss window: \d+ s if the server is lost/m);
  expect(await databaseExists(shop.scratch)).toBe(false);
  const { tables, uploads } = shop.manifest;
  const size_bytes = tables.reduce((sum, { size }) => sum + size, uploads.size);
  expect(await drills(shop)).toEqual([{ kind: 'restore_drill', size_bytes }]);
});

test('stock that does not add up fails the drill, and is left to be looked at', async () => {
  const shop = await aBackedUpShop();
  await shop.database.rows('UPDATE products SET stock = 6');
  await shop.backup();
  const { code, stderr } = await run(shop.env, 'drill');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^drill failed: the stock audit .* found 1 faults/)]);
  expect(await rows(`SELECT stock FROM ${shop.scratch}.products`)).toEqual([{ stock: 6 }]);
  expect(await drills(shop)).toEqual([]);
});

test('a damaged upload fails the drill', async () => {
  const shop = await aBackedUpShop();
  await appendFile(path.join(shop.folder, 'uploads', shop.uploaded), '!');
  const { code, stderr } = await run(shop.env, 'drill');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^drill failed: 1 of 1 uploads: .* was changed or damaged/),
  ]);
  expect(await drills(shop)).toEqual([]);
});

test('two drills at once refuse each other, and after one that was killed, the next starts clean', async () => {
  const shop = await aBackedUpShop();
  const users = path.join(shop.folder, shop.manifest.id, 'database/users.sql.gz');
  const stuck = await runUpTo(users, shop.env, 'drill');
  await eventually('the first drill to load', async () => (await tablesIn(shop.scratch)).includes('transactions'));
  const second = await run(shop.env, 'drill');
  expect(second).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/another restore or migration .* is running/),
  });
  await stuck.kill();
  await write(`CREATE TABLE ${shop.scratch}.left_behind (id INT)`);
  expect(await run(shop.env, 'drill')).toMatchObject({ code: 0, stderr: '' });
  expect(await databaseExists(shop.scratch)).toBe(false);
  expect(await drills(shop)).toHaveLength(1);
});
