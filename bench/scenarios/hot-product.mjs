/**
 * 200 buyers who all order the same product, compared with the same buyers of 200 products, alternately on one service with its default
 * pool. Orders that would wait too long are refused. `npm run bench -- hot-product [ROUNDS] [SECONDS]`
 */
import { figure, markdownTable } from '../support/figures.mjs';
import { inTurns, medianRatio, medians } from '../support/load.mjs';
import { placeOrders, prepareOrders } from '../support/orders.mjs';
import { startService } from '../support/shop.mjs';

const BUYERS = 200;
const AT_LEAST = 0.5;

export async function run([rounds = '5', seconds = '3']) {
  const shop = await startService('transaction');
  try {
    const ids = await prepareOrders(shop, BUYERS);
    const order = (productsOf) =>
      placeOrders(shop, { clients: BUYERS, duration: Number(seconds), mayRefuse: true, productsOf });
    const [hot, spread] = await inTurns(
      [() => order(() => [ids[0]]), () => order((buyer) => [ids[buyer]])],
      Number(rounds),
    );
    const share = medianRatio(hot, spread, ({ rate }) => rate);
    const row = (title, { service, database, p99, rate }) => [title, service, database, p99, rate];
    return {
      figures: [
        figure(`${BUYERS} buyers of one product: orders/s, as a share of ${BUYERS} products`, share, 'share', {
          atLeast: AT_LEAST,
        }),
      ],
      details: markdownTable(
        ['', 'CPU, ms per order', 'of the database', 'p99, ms', 'orders/s'],
        [row('one product', medians(hot)), row(`${BUYERS} products`, medians(spread))],
      ),
    };
  } finally {
    await shop.stop();
  }
}
