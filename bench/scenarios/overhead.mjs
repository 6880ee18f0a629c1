/**
 * The cost of metrics and logs: cached GET /products with both, compared with the same service without them. Fails below
 * 0.9 of the reference's requests per second.
 */
import { fileURLToPath } from 'node:url';
import { requestsPerSecond, sideBySide } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_LEAST = 0.9;
const unwatched = fileURLToPath(new URL('../support/unwatched.cjs', import.meta.url));

export async function run([seconds = '3', rounds = '7']) {
  const watched = await startService('product');
  const bare = await startService('product', { LOG_LEVEL: 'silent', NODE_OPTIONS: `--require ${unwatched}` });
  try {
    const load = async (shop) => {
      const url = `${shop.url}/api/v1/products`;
      const headers = { authorization: `Bearer ${shop.adminToken}` };
      return requestsPerSecond({ url, headers, seconds: Number(seconds) });
    };
    const result = await sideBySide(
      () => load(watched),
      () => load(bare),
      Number(rounds),
    );
    console.log(`GET /products, cached, with metrics and logs: ${Math.round(result.a)} requests/s`);
    console.log(`the same without both:                        ${Math.round(result.b)} requests/s`);
    console.log(`ratio: ${result.ratio.toFixed(2)} (at least ${AT_LEAST})`);
    return result.ratio >= AT_LEAST ? 0 : 1;
  } finally {
    await bare.stop();
    await watched.stop();
  }
}
