/**
 * Cached GET /products: the full response, compressed and not, and its revalidation by If-None-Match, alternately in one run. Prints the
 * bytes of a response with its headers, and the CPU time of the service.
 */
import autocannon from 'autocannon';
import { endpoints, fillShop } from '../support/endpoints.mjs';
import { figure, markdownTable } from '../support/figures.mjs';
import { cpuMs, median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_MOST = 1;
const AT_MOST_BYTES = 1500;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('product');
  try {
    await fillShop(shop);
    const { path, headers } = endpoints['products list, hit'].request(0);
    const request = { url: shop.url + path, headers };
    const etag = (
      await fetch(request.url, { headers: { ...request.headers, 'accept-encoding': 'identity' } })
    ).headers.get('etag');
    const kinds = {
      'full response': { status: '200', headers: {} },
      'full response, compressed': { status: '200', headers: { 'accept-encoding': 'gzip' } },
      'with If-None-Match': { status: '304', headers: { 'if-none-match': etag } },
    };
    const results = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
    // The first round warms up.
    for (let round = 0; round <= Number(rounds); round += 1) {
      for (const [name, { status, headers }] of Object.entries(kinds)) {
        const result = await measure(
          shop.pid,
          { ...request, headers: { ...request.headers, ...headers } },
          status,
          Number(seconds),
        );
        if (round > 0) results[name].push(result);
      }
    }
    const of = (name, key) => median(results[name].map((result) => result[key]));
    const rows = Object.keys(kinds).map((name) => [name, ...['bytes', 'cpu', 'rate'].map((key) => of(name, key))]);
    const ratio = median(
      results['with If-None-Match'].map(({ cpu }, round) => cpu / results['full response'][round].cpu),
    );
    return {
      figures: [
        figure('CPU of a revalidation, as a share of the full response', ratio, 'share', { atMost: AT_MOST }),
        figure('bytes of a revalidation', of('with If-None-Match', 'bytes'), 'bytes', { atMost: AT_MOST_BYTES }),
      ],
      details: markdownTable(['', 'bytes', 'CPU, ms per request', 'requests/s'], rows),
    };
  } finally {
    await shop.stop();
  }
}

async function measure(pid, request, status, seconds) {
  const before = await cpuMs(pid);
  const { errors, requests, throughput, statusCodeStats } = await autocannon({
    ...request,
    connections: 50,
    duration: seconds,
  });
  const cpu = (await cpuMs(pid)) - before;
  if (errors > 0 || Object.keys(statusCodeStats).join() !== status) {
    throw new Error(`${errors} errors, status codes ${Object.keys(statusCodeStats)} instead of ${status}`);
  }
  return {
    rate: requests.total / seconds,
    bytes: throughput.total / requests.total,
    cpu: cpu / requests.total,
  };
}
