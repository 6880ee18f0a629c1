/**
 * Cached GET /products with everything enabled (access token, rate limit, metrics, logs), compared with a bare Express app that
 * sends the same bytes. Fails below half of the reference's requests per second.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { requestsPerSecond, sideBySide } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';
import { workloads } from '../support/workloads.mjs';

const AT_LEAST = 0.5;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('product');
  const bare = fork(fileURLToPath(new URL('../support/bare-express.mjs', import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  try {
    const { products } = workloads;
    const prepared = await products.prepare(shop);
    const { request, text, type } = prepared;
    bare.send({ text, type });
    const [{ port }] = await once(bare, 'message');
    const result = await sideBySide(
      () => products.run(prepared, Number(seconds)),
      () => requestsPerSecond({ ...request, url: `http://127.0.0.1:${port}/`, seconds: Number(seconds) }),
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
