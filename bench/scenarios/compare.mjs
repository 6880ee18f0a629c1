/**
 * This checkout of the repository and another one, alternately in one run: requests per second, and the CPU time of service and database
 * for each request. For example:
 *   git worktree add ../before v0.1.0 && (cd ../before && npm ci && npm run build) && npm run bench -- compare ../before
 * `npm run bench -- compare OTHER [SECONDS] [ROUNDS] [PART OF THE ENDPOINTS' NAMES]`
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { endpoints, fillShop, loadOn } from '../support/endpoints.mjs';
import { figure, markdownTable } from '../support/figures.mjs';
import { inTurns, medianRatio, medians } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_MOST = 1.1;
const CLIENTS = 50;
const DELETES_PER_SECOND = 1000;
const USUAL = ['products list, hit', 'transaction, 1 item'];

export async function run([other, seconds = '3', rounds = '8', only = undefined]) {
  if (!other) throw new Error('usage: npm run bench -- compare OTHER [SECONDS] [ROUNDS] [ENDPOINTS]');
  const file = path.resolve(process.env.INIT_CWD ?? '.', other, 'bench/support/shop.mjs');
  const before = await import(pathToFileURL(file).href);
  const names = only === undefined ? USUAL : Object.keys(endpoints).filter((name) => name.includes(only));
  const figures = [];
  const rows = [];
  for (const name of names) {
    const shops = [];
    try {
      for (const start of [startService, before.startService])
        shops.push(await start(endpoints[name].service, SETTINGS));
      const sides = [];
      for (const shop of shops) {
        const here = { ...shop, urls: { [endpoints[name].service]: shop.url } };
        await fillShop(here);
        await endpoints[name].prepare?.(here);
        const pids = { service: shop.pid, ...shop.pids };
        // Those that delete need to know beforehand how much.
        const load = endpoints[name].before ? { amount: DELETES_PER_SECOND * seconds } : { duration: Number(seconds) };
        sides.push(loadOn(here, name, { ...load, connections: CLIENTS, pids }));
      }
      const [ours, theirs] = await inTurns(sides, Number(rounds));
      const ratio = medianRatio(ours, theirs, ({ service }) => service);
      figures.push(figure(`${name}: CPU of the service, here / there`, ratio, 'ratio', { atMost: AT_MOST }));
      for (const [title, side] of Object.entries({ here: ours, there: theirs })) {
        const { service, database, redis, p99, rate } = medians(side);
        rows.push([`${name}: ${title}`, service, database, redis, p99, rate]);
      }
    } finally {
      for (const shop of shops) await shop.stop();
    }
  }
  const head = ['', 'CPU, ms per request', 'of the database', 'of Redis', 'p99, ms', 'requests/s'];
  return { figures, details: markdownTable(head, rows) };
}

/** One connection per client. With fewer, waiting for a connection would be measured too. */
const SETTINGS = { DB_POOL_SIZE: String(CLIENTS) };
