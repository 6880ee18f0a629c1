/**
 * Cached GET /products: the full response, compressed and not, and its revalidation by If-None-Match, alternately in one run. Prints the
 * bytes of a response with its headers, and the CPU time of the service. Fails if a revalidation needs more CPU time than the
 * full response, or more than 1,500 bytes.
 */
import autocannon from 'autocannon';
import { cpuMs, median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';
import { workloads } from '../support/workloads.mjs';

const AT_MOST = 1;
const AT_MOST_BYTES = 1500;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('product');
  try {
    const { request } = await workloads.products.prepare(shop);
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
    for (const name of Object.keys(kinds)) {
      const [rate, bytes, cpu] = ['rate', 'bytes', 'cpu'].map((key) => Math.round(of(name, key)));
      console.log(
        `${`${name}:`.padEnd(27)}${bytes} bytes, ${cpu} ms of CPU time per 1,000 requests, ${rate} requests/s`,
      );
    }
    const ratio = median(
      results['with If-None-Match'].map(({ cpu }, round) => cpu / results['full response'][round].cpu),
    );
    console.log(`CPU time of a revalidation: ${ratio.toFixed(2)} of the full response (at most ${AT_MOST})`);
    return ratio <= AT_MOST && of('with If-None-Match', 'bytes') <= AT_MOST_BYTES ? 0 : 1;
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
    cpu: (cpu / requests.total) * 1000,
  };
}
