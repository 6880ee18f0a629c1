import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort, repoRoot } from '@shop/test-servers';
import { aDatabase, adHoc, aFreshDatabase, closeDatabases, testEnv } from '@shop/testing';

afterAll(closeDatabases);

test('`npm run verify:stock` succeeds for a consistent shop, and lists every mismatch and fails otherwise', async () => {
  const settings = { DB_NAME: await aFreshDatabase() };
  const { db } = aDatabase(settings);
  const verify = (overrides = {}) =>
    promisify(execFile)(process.execPath, [path.join(repoRoot, 'services/transaction/dist/verify-stock.js')], {
      env: { ...process.env, ...testEnv({ ...settings, ...overrides }) },
    });
  const { insertId } = await db.write(
    adHoc(`INSERT INTO products (store_id, name, description, price, stock) VALUES (1, 'Mug', '', 1, 9)`),
  );
  await db.write(
    adHoc("INSERT INTO stock_movements (product_id, reason, quantity) VALUES (?, 'initial', 9)", [insertId]),
  );
  expect((await verify()).stdout).toBe('1 products, 0 transactions: all stock adds up\n');
  await db.write(adHoc('UPDATE products SET stock = 10 WHERE id = ?', [insertId]));
  await expect(verify()).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      `product ${insertId} (Mug): initial 9 + edits 0 - sold 0 + cancelled 0 = 9, but its stock is 10`,
    ),
  });
  await db.write(adHoc('UPDATE products SET stock = 9 WHERE id = ?', [insertId]));
  const { insertId: order } = await db.write(
    adHoc(
      `INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
     VALUES (1, 1, '', '', '', '', 30)`,
    ),
  );
  await expect(verify()).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`transaction ${order}: its total is 30.00, but its lines come to 0.00`),
  });
  const DB_PORT = String(await freePort());
  await expect(verify({ DB_PORT })).rejects.toMatchObject({
    code: 1,
    stderr: `verify-stock failed: the database at 127.0.0.1:${DB_PORT} (DB_HOST, DB_PORT) cannot be used: connect ECONNREFUSED 127.0.0.1:${DB_PORT}\n`,
  });
});
