/**
 * How long a backup, a drill and a restore to a point in time take. `npm run bench -- restore-drill 100000 2000` does it with
 * 100,000 orders and 2,000 MB of uploads. A tenth of the orders is placed after the backup, so that --until has them to replay.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createShopDatabase } from '../support/database.mjs';

const cli = fileURLToPath(new URL('../../tools/backup/dist/cli.js', import.meta.url));
const UPLOAD_BYTES = 1_000_000;
const BATCH = 1000;

export async function run([orders = '2000', megabytes = '20']) {
  const folder = await mkdtemp(path.join(tmpdir(), 'shop-bench-'));
  const database = await createShopDatabase({ binaryLog: true, bufferPoolMiB: 256 });
  const { settings } = database;
  const env = {
    ...process.env,
    APP_ENV: 'local',
    DB_HOST: settings.host,
    DB_PORT: String(settings.port),
    DB_USER: settings.user,
    DB_PASS: settings.password,
    DB_NAME: settings.database,
    UPLOAD_PATH: path.join(folder, 'uploads'),
    BACKUP_TARGET: path.join(folder, 'target'),
  };
  const timed = (what, ...args) => {
    const start = performance.now();
    execFileSync(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    console.log(`${what.padEnd(42)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
  };
  try {
    const later = Math.ceil(Number(orders) / 10);
    await addProduct(database, Number(orders));
    for (let placed = 0; placed < orders - later; placed += BATCH) {
      await placeOrders(database, Math.min(BATCH, orders - later - placed));
    }
    await addUploads(env.UPLOAD_PATH, Number(megabytes));
    console.log(`${orders} orders, ${megabytes} MB of uploads`);
    timed('backup', 'backup');
    for (let placed = 0; placed < later; placed += 1) await placeOrders(database, 1);
    timed('second backup, of the database only', 'backup');
    const until = new Date().toISOString().replace(/\.\d+/, '');
    const [first] = (await readdir(env.BACKUP_TARGET)).filter((name) => /^\d{4}-/.test(name)).sort();
    timed('drill', 'drill');
    timed(
      `drill with ${later} orders of the binary log`,
      'drill',
      path.join(env.BACKUP_TARGET, first),
      '--until',
      until,
    );
    await rm(env.UPLOAD_PATH, { recursive: true });
    timed('restore, with all uploads', 'restore', '--database', `${settings.database}_restored`);
    await database.query(`DROP DATABASE ${settings.database}_restored`);
  } finally {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

const addProduct = async ({ query }, stock) => {
  await query("INSERT INTO products (id, store_id, name, description, price, stock) VALUES (1, 1, 'Mug', '', 1, ?)", [
    stock,
  ]);
  await query("INSERT INTO stock_movements (product_id, reason, quantity) VALUES (1, 'initial', ?)", [stock]);
};

/** With the statements of a checkout, each for many orders. */
async function placeOrders({ query }, count) {
  const orders = Array.from({ length: count }, () => [1, 1, 'Home', 'Main Street 1', 'Springfield', '12345', 1]);
  const [{ insertId }] = await query(
    'INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total) VALUES ?',
    [orders],
  );
  const lines = orders.map((_, index) => [insertId + index, 1, 'Mug', 1, 1]);
  await query('INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES ?', [
    lines,
  ]);
  await query('UPDATE products SET stock = stock - ? WHERE id = 1', [count]);
}

async function addUploads(folder, megabytes) {
  await mkdir(folder, { recursive: true });
  for (let written = 0; written < megabytes; written += 1) {
    await writeFile(path.join(folder, `1_${randomBytes(16).toString('hex')}.png`), randomBytes(UPLOAD_BYTES));
  }
}
