import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { freePort, random, type ServiceServer, serviceServer } from '@shop/test-servers';
import { aPng, aStore, aUser, eventually, rows, type TestUser, testEnv } from '@shop/testing';

/** Writes with a key and a file, while their service is killed: each is written once in the end, with its response. */

const REQUESTS = 240;
const CONCURRENT = 8;
const KILLS = 6;

const folder = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '', 'uploads-'));
let product: ServiceServer;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
  const logFile = path.join(folder, '..', 'idempotency-kills.log');
  const env = testEnv({ REDIS_HOST: '', UPLOAD_PATH: folder });
  product = serviceServer({ service: 'product', index: 0, port: await freePort(), env, logFile, dieWithParent: true });
  await product.start();
});
afterAll(() => product.stop());

/** @returns undefined without a response */
async function add(key: string): Promise<{ status: number; text: string } | undefined> {
  const form = new FormData();
  form.set('name', key);
  form.set('price', '1');
  form.set('stock', '5');
  form.set('image', new Blob([aPng(20_000)]), 'a.png');
  const headers = { ...seller.auth, 'idempotency-key': key };
  const signal = AbortSignal.timeout(60_000);
  try {
    const response = await fetch(`${product.url}/api/v1/products`, { method: 'POST', headers, body: form, signal });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}

test('a product whose request is repeated until it succeeds exists once, with its image and its stock movement', async () => {
  const responses = new Map<string, string>();
  const waiting = Array.from({ length: REQUESTS }, (_, index) => `product-${index}`);
  let repeated = 0;
  const clients = Array.from({ length: CONCURRENT }, async () => {
    for (let key = waiting.shift(); key; key = waiting.shift()) {
      for (let response = await add(key); ; response = await add(key)) {
        if (response?.status === 201) {
          responses.set(key, response.text);
          break;
        }
        repeated += 1;
        await eventually('the service', async () => (await fetch(`${product.url}/ready`).catch(() => undefined))?.ok);
      }
    }
  });
  const { integer } = random(1);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const target = Math.floor((REQUESTS * kill) / (KILLS + 1)) + integer(-10, 10);
    await eventually('the next kill', () => REQUESTS - waiting.length >= target);
    await product.kill();
    await product.start();
  }
  await Promise.all(clients);

  const written = await rows<{ id: number; name: string; image: string; moved: string; response: string }>(
    `SELECT p.id, p.name, p.image, k.response,
            (SELECT GROUP_CONCAT(quantity) FROM stock_movements m WHERE m.product_id = p.id) AS moved
     FROM products p LEFT JOIN idempotency_keys k ON k.user_id = ? AND k.idempotency_key = p.name WHERE p.store_id = ?`,
    [seller.id, store.id],
  );
  expect(written.map(({ name }) => name).sort()).toEqual([...responses.keys()].sort());
  const files = new Set(await readdir(folder));
  for (const { id, name, image, moved, response } of written) {
    expect([moved, files.has(image), response]).toEqual(['5', true, responses.get(name)]);
    expect(JSON.parse(response)).toMatchObject({ id, name, image_url: `/uploads/${image}` });
  }
  expect((await rows('SELECT 1 AS one FROM idempotency_keys WHERE user_id = ?', [seller.id])).length).toBe(REQUESTS);
  expect(repeated).toBeGreaterThan(0);
  // Each kill can leave the files of requests in progress behind, for the sweep.
  const images = [...files].filter((file) => file.startsWith(`${seller.id}_`));
  expect(images.length - written.length).toBeLessThanOrEqual(KILLS * CONCURRENT);
  console.info(`${KILLS} kills, ${repeated} requests repeated, ${images.length - written.length} files for the sweep`);
});
