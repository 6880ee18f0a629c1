/**
 * Cached reads: the first page of the catalog, and a product by id with an access token, beside a small Fastify service with the same
 * duties (references/fastify-service.mjs) and a bare Express app that sends the same bytes, alternately in one run.
 * `npm run bench -- cached [ROUNDS] [REQUESTS] [HOW MANY OF THE REFERENCES]`
 */
import { deepStrictEqual } from 'node:assert';
import { endpoints, fillShop } from '../support/endpoints.mjs';
import { CPU_SHARE, figure, markdownTable } from '../support/figures.mjs';
import { inTurns, measure, mebibytes, medianRatio, medians } from '../support/load.mjs';
import { startBareExpress, startFastify } from '../support/references.mjs';
import { startService } from '../support/shop.mjs';

const AIMS = { 'catalog, hit': { 'a bare Express app': { atLeast: 0.8 } } };
/** Express changes the prototypes of each request and response, which takes several times as long in some versions of Node. */
const UNITS = { 'the Fastify service': CPU_SHARE, 'a bare Express app': 'share' };

export async function run([rounds = '5', requests = '10000', references = '2']) {
  const shop = await startService('product');
  const closing = [() => shop.stop()];
  try {
    await fillShop(shop);
    const fastify = await startFastify(shop);
    closing.push(() => fastify.stop());
    const figures = [];
    const rows = [];
    for (const name of ['catalog, hit', 'product by id']) {
      const { path, headers } = endpoints[name].request(0);
      const express = await startBareExpress(await cachedResponse([shop, fastify], path, headers));
      closing.push(() => express.stop());
      const compared = { 'the Fastify service': [fastify, path], 'a bare Express app': [express, '/'] };
      const servers = [['ours', [shop, path]], ...Object.entries(compared).slice(0, Number(references))];
      const sides = servers.map(([, [{ url, pid }, at]]) => async () => {
        const pids = { service: pid, redis: shop.pids.redis };
        return await measure({ url: url + at, headers, amount: Number(requests), pids });
      });
      const measured = await inTurns(sides, Number(rounds));
      for (const [index, [title, [{ pid }]]] of servers.entries()) {
        const { service, redis, p99, rate } = medians(measured[index]);
        rows.push([`${name}: ${title}`, service, redis, p99, rate, await mebibytes(pid)]);
        if (index === 0) continue;
        const share = medianRatio(measured[0], measured[index], (round) => round.rate);
        const cpu = medianRatio(measured[index], measured[0], (round) => round.service);
        figures.push(figure(`${name}: requests/s, as a share of ${title}`, share, 'share', AIMS[name]?.[title]));
        figures.push(figure(`${name}: CPU of ${title}, as a share of ours`, cpu, UNITS[title]));
      }
    }
    const head = ['', 'CPU, ms per request', 'of Redis', 'p99, ms', 'requests/s', 'memory, MiB'];
    return { figures, details: markdownTable(head, rows) };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** Fills the caches of both services, and makes sure that they send the same. */
async function cachedResponse([ours, reference], path, headers) {
  const read = async ({ url }) => {
    await fetch(url + path, { headers });
    const response = await fetch(url + path, { headers });
    if (response.headers.get('x-cache') !== 'HIT') throw new Error(`${url}${path} does not come from the cache`);
    return { text: await response.text(), type: response.headers.get('content-type') };
  };
  const response = await read(ours);
  // Cursors differ.
  const { pagination: _, ...sent } = JSON.parse(response.text);
  const { pagination: __, ...expected } = JSON.parse((await read(reference)).text);
  deepStrictEqual(sent, expected);
  return response;
}
