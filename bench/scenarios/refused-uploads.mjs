/**
 * Uploads that are rejected before their body has been read: does every client get its response? Sends 500 uploads of 0.2 to
 * 5 MB, 20 concurrently, to a service's port and to Nginx, with and without keep-alive.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { figure } from '../support/figures.mjs';
import { startService } from '../support/shop.mjs';

const require = createRequire(import.meta.url);
const { freePort, serviceNames, startNginx } = require('@shop/test-servers');

const AT_ONCE = 20;
const SMALLEST = 200_000;
const LARGEST = 5_000_000;
const FORM = 'multipart/form-data; boundary=b';

const refusals = (token) => [
  { status: 401, path: '/api/v1/files/upload', headers: { 'content-type': FORM, authorization: 'Bearer a.b.c' } },
  {
    status: 415,
    path: '/api/v1/files/upload',
    headers: { 'content-type': 'application/zip', authorization: `Bearer ${token}` },
  },
  { status: 404, path: '/api/v1/files/no/route', headers: { 'content-type': FORM } },
];

async function send(url, { status, path: target, headers }, size) {
  try {
    const response = await fetch(url + target, { method: 'POST', headers, body: Buffer.alloc(size, 'x') });
    await response.text();
    return response.status === status ? 'as expected' : `${response.status} instead of ${status}`;
  } catch (error) {
    return `lost: ${error.cause?.code ?? error}`;
  }
}

async function sendAll(url, kinds, count, more) {
  const outcomes = {};
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) {
      const kind = kinds[index % kinds.length];
      const size = SMALLEST + Math.floor(((LARGEST - SMALLEST) * index) / count);
      const outcome = await send(url, { ...kind, headers: { ...kind.headers, ...more } }, size);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcomes;
}

export async function run([count = '500']) {
  const service = await startService('file');
  const dir = await mkdtemp(path.join(tmpdir(), 'shop-bench-nginx-'));
  const upstream = [new URL(service.url).host];
  const upstreams = Object.fromEntries(serviceNames.map((name) => [name, upstream]));
  const limits = { RATE_LIMIT_PER_SECOND: '1000000', RATE_LIMIT_BURST: '1000000' };
  const nginx = await startNginx({ runDir: dir, port: await freePort(), upstreams, limits, dieWithParent: true });
  const figures = [];
  try {
    for (const [way, url] of [
      ['direct', service.url],
      ['through Nginx', nginx.url],
    ]) {
      for (const [connection, more] of [
        ['keep-alive', {}],
        ['close', { connection: 'close' }],
      ]) {
        const outcomes = await sendAll(url, refusals(service.adminToken), Number(count), more);
        console.log(`${way}, ${connection}: ${JSON.stringify(outcomes)}`);
        const lost = Number(count) - (outcomes['as expected'] ?? 0);
        figures.push(figure(`responses lost or wrong, ${way}, ${connection}`, lost, `of ${count}`, { atMost: 0 }));
      }
    }
  } finally {
    await nginx.stop();
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
  return { figures };
}
