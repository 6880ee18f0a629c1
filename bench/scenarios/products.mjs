/**
 * Cached GET /products with everything enabled (access token, rate limit, metrics, logs), compared with a bare Express app that
 * sends the same bytes. Fails below half of the reference's requests per second.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { requestsPerSecond, sideBySide } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_LEAST = 0.5;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('product');
  const bare = fork(fileURLToPath(new URL('../support/bare-express.mjs', import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  try {
    await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [
      Array.from({ length: 10 }, (_, index) => [1, `Mug ${index}`, 'A mug with a handle. '.repeat(10), 12.5, 100]),
    ]);
    const url = `${shop.url}/api/v1/products`;
    const headers = { authorization: `Bearer ${shop.adminToken}` };
    await fetch(url, { headers });
    const response = await fetch(url, { headers });
    if (response.headers.get('x-cache') !== 'HIT') throw new Error('the list does not come from the cache');
    const text = await response.text();
    bare.send({ text, type: response.headers.get('content-type') });
    const [{ port }] = await once(bare, 'message');
    const result = await sideBySide(
      () => requestsPerSecond({ url, headers, seconds: Number(seconds) }),
      () => requestsPerSecond({ url: `http://127.0.0.1:${port}/`, headers, seconds: Number(seconds) }),
      Number(rounds),
    );
    console.log(`GET /products, cached, ${text.length} bytes: ${Math.round(result.a)} requests/s`);
    console.log(`bare Express, the same bytes:        ${Math.round(result.b)} requests/s`);
    console.log(`ratio: ${result.ratio.toFixed(2)} (at least ${AT_LEAST})`);
    return result.ratio >= AT_LEAST ? 0 : 1;
  } finally {
    bare.disconnect();
    await shop.stop();
  }
}
