/**
 * The cost of a scrape after 50,000 requests with random paths, methods and hosts: size and duration of /metrics, compared with
 * a bare Express app that sends the same bytes. Fails from 300 KB or 50 ms.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_MOST = { bytes: 300_000, ms: 50 };
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];
const oneOf = (list) => list[Math.floor(Math.random() * list.length)];
const randomPath = () =>
  oneOf([`/${randomUUID()}`, `/api/v1/products/${randomUUID()}`, `/api/v1/products/1/${randomUUID()}`]);

const CONNECTIONS = 50;
const randomRequests = (length) =>
  Array.from({ length }, () => ({
    method: oneOf(METHODS),
    path: randomPath(),
    headers: { host: `${randomUUID()}.example` },
  }));

async function milliseconds(url, times) {
  const taken = [];
  for (let i = 0; i < times; i += 1) {
    const start = performance.now();
    await (await fetch(url)).text();
    taken.push(performance.now() - start);
  }
  return taken;
}

export async function run([requests = '50000']) {
  const shop = await startService('product');
  const bare = fork(fileURLToPath(new URL('../support/bare-express.mjs', import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  try {
    const amount = Number(requests);
    const setupClient = (client) => client.setRequests(randomRequests(Math.ceil(amount / CONNECTIONS)));
    await autocannon({ url: shop.url, connections: CONNECTIONS, amount, setupClient });
    const text = await (await fetch(`${shop.url}/metrics`)).text();
    const count = text.split('\n').filter((line) => line.startsWith('http_requests_total{'));
    const total = count.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    bare.send({ text, type: 'text/plain' });
    const [{ port }] = await once(bare, 'message');
    await milliseconds(`http://127.0.0.1:${port}/`, 20);
    await milliseconds(`${shop.url}/metrics`, 20);
    const taken = await milliseconds(`${shop.url}/metrics`, 100);
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    console.log(`${total} requests counted, in ${series} series and ${text.length} bytes (below ${AT_MOST.bytes})`);
    console.log(
      `/metrics: median ${median(taken).toFixed(1)} ms, slowest ${Math.max(...taken).toFixed(1)} ms (below ${AT_MOST.ms})`,
    );
    console.log(
      `bare Express, the same bytes: median ${median(await milliseconds(`http://127.0.0.1:${port}/`, 100)).toFixed(1)} ms`,
    );
    return text.length < AT_MOST.bytes && median(taken) < AT_MOST.ms ? 0 : 1;
  } finally {
    bare.disconnect();
    await shop.stop();
  }
}
