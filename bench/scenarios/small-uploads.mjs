/**
 * Uploads of a PNG of 4 KB, compared with an Express app that only lets multer write the file, alternately in one run.
 * `npm run bench -- small-uploads [ROUNDS] [UPLOADS]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endpoints, fillShop, loadOn } from '../support/endpoints.mjs';
import { CPU_SHARE, figure, markdownTable } from '../support/figures.mjs';
import { inTurns, measure, medianRatio, medians } from '../support/load.mjs';
import { startBareMulter } from '../support/references.mjs';
import { startService } from '../support/shop.mjs';

const ENDPOINT = 'upload 4 KB PNG';
const CLIENTS = 16;
const AT_LEAST = 0.33;

export async function run([rounds = '5', uploads = '2000']) {
  const folder = await mkdtemp(path.join(tmpdir(), 'shop-bench-multer-'));
  const shop = await startService('file');
  const multer = await startBareMulter({ folder });
  try {
    await fillShop(shop);
    const load = { amount: Number(uploads), connections: CLIENTS };
    const { method, headers, body } = endpoints[ENDPOINT].request(0);
    const sides = [
      loadOn(shop, ENDPOINT, { ...load, pids: { service: shop.pid, ...shop.pids } }),
      () => measure({ ...load, url: multer.url, method, headers, body, pids: { service: multer.pid } }),
    ];
    const [ours, bare] = await inTurns(sides, Number(rounds));
    const share = medianRatio(bare, ours, ({ service }) => service);
    const row = (title, { service, database, redis, p99, rate }) => [title, service, database, redis, p99, rate];
    return {
      figures: [figure(`${ENDPOINT}: CPU of bare multer, as a share of ours`, share, CPU_SHARE, { atLeast: AT_LEAST })],
      details: markdownTable(
        ['', 'CPU, ms per upload', 'of the database', 'of Redis', 'p99, ms', 'uploads/s'],
        [row('the file service', medians(ours)), row('bare multer', medians(bare))],
      ),
    };
  } finally {
    await multer.stop();
    await shop.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
