import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { aDatabase, adHoc, aFreshDatabase, closeDatabases } from '@shop/testing';
import { missingUploadsWarning } from './missing-uploads';

afterAll(closeDatabases);

test('warns where the database has uploads and the folder has none of them', async () => {
  const database = await aFreshDatabase();
  const { db } = aDatabase({ DB_NAME: database });
  const settings = {
    host: process.env.SHOP_TEST_DB_HOST ?? '',
    port: Number(process.env.SHOP_TEST_DB_PORT),
    user: process.env.SHOP_TEST_DB_USER ?? '',
    password: process.env.SHOP_TEST_DB_PASS ?? '',
    database,
  };
  const folder = path.join(process.env.SHOP_TEST_DIR ?? '', `uploads-of-${database}`);
  const warning = (env = {}) => missingUploadsWarning(settings, { UPLOAD_PATH: folder, ...env });
  mkdirSync(folder, { recursive: true });
  expect(await warning()).toBeUndefined();

  const image = `1_${'a'.repeat(32)}.png`;
  await db.write(
    adHoc("INSERT INTO products (store_id, name, description, price, stock, image) VALUES (1, 'Mug', '', 1, 1, ?)", [
      image,
    ]),
  );
  await db.write(
    adHoc(
      "INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (1, ?, 'a', 'a/b', 1)",
      [`1_${'b'.repeat(32)}.txt`],
    ),
  );
  expect(await warning()).toContain(`the database ${database} at ${settings.host}:${settings.port} has uploads`);
  expect(await warning()).toContain(folder);
  expect(await warning({ S3_BUCKET: 'shop' })).toBeUndefined();

  writeFileSync(path.join(folder, image), 'bytes');
  expect(await warning()).toBeUndefined();
});
