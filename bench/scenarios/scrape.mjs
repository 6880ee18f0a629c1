/**
 * The cost of a scrape after 50,000 requests with random paths, methods and hosts: size and duration of /metrics, compared with
 * a bare Express app that sends the same bytes.
 */
import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { figure } from '../support/figures.mjs';
import { median } from '../support/load.mjs';
import { startBareExpress } from '../support/references.mjs';
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
  let bare;
  try {
    const amount = Number(requests);
    const setupClient = (client) => client.setRequests(randomRequests(Math.ceil(amount / CONNECTIONS)));
    await autocannon({ url: shop.url, connections: CONNECTIONS, amount, setupClient });
    const text = await (await fetch(`${shop.url}/metrics`)).text();
    const count = text.split('\n').filter((line) => line.startsWith('http_requests_total{'));
    const total = count.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    bare = await startBareExpress({ text, type: 'text/plain' });
    await milliseconds(bare.url, 20);
    await milliseconds(`${shop.url}/metrics`, 20);
    const taken = await milliseconds(`${shop.url}/metrics`, 100);
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    const reference = await milliseconds(bare.url, 100);
    return {
      figures: [
        figure('requests counted', total, 'requests'),
        figure('series', series, 'series'),
        figure('size of /metrics', text.length, 'bytes', { atMost: AT_MOST.bytes }),
        figure('median duration of a scrape', median(taken), 'ms', { atMost: AT_MOST.ms }),
        figure('longest scrape', Math.max(...taken), 'ms'),
        figure('the same bytes from a bare Express app, median', median(reference), 'ms'),
      ],
    };
  } finally {
    await bare?.stop();
    await shop.stop();
  }
}
