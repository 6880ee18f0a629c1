/**
 * The cost of metrics and logs: cached GET /products with both, compared with the same service without them.
 */
import { fileURLToPath } from 'node:url';
import { figure } from '../support/figures.mjs';
import { inTurns, measure, medianRatio } from '../support/load.mjs';
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
      return await measure({ url, headers, duration: Number(seconds), pids: { service: shop.pid } });
    };
    const [withBoth, without] = await inTurns([() => load(watched), () => load(bare)], Number(rounds));
    const share = medianRatio(withBoth, without, ({ rate }) => rate);
    return {
      figures: [
        figure('requests/s with metrics and logs, as a share of without both', share, 'share', { atLeast: AT_LEAST }),
      ],
    };
  } finally {
    await bare.stop();
    await watched.stop();
  }
}
