/**
 * Memory of the services that accept uploads: 100 concurrent uploads of 5 MiB, each paused just before its end and then
 * finished.
 */
import http from 'node:http';
import { figure } from '../support/figures.mjs';
import { mebibytes } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const AT_MOST_MIB = 200;
const FILE_BYTES = 5 * 1024 * 1024;
const PNG_START = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const BOUNDARY = 'bench-boundary';
const CHUNK = Buffer.alloc(64 * 1024);

const field = (name, value) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const fileHead = (name) =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`;
const END = `\r\n--${BOUNDARY}--\r\n`;

const TARGETS = [
  { service: 'file', path: '/api/v1/files/upload', head: fileHead('file') },
  {
    service: 'product',
    path: '/api/v1/products',
    head: field('name', 'Tea') + field('price', '1') + fileHead('image'),
  },
];

/** Sends an upload except for its last bytes. @returns a function that finishes it and resolves to the status */
async function openUpload({ url, token }, { path, head }) {
  const start = Buffer.concat([Buffer.from(head), PNG_START]);
  const request = http.request(url + path, {
    method: 'POST',
    agent: false,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
      'Content-Length': head.length + FILE_BYTES + END.length,
    },
  });
  const status = new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  const write = (bytes) => new Promise((resolve) => request.write(bytes, resolve));
  await write(start);
  for (let left = FILE_BYTES - PNG_START.length; left > 0; left -= CHUNK.length) {
    await write(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
  }
  return () => {
    request.end(END);
    return status;
  };
}

async function measure(target, uploads) {
  const shop = await startService(target.service);
  try {
    await shop.sql('INSERT INTO stores (user_id, name) VALUES (1, ?)', ['Bench']);
    const idle = await mebibytes(shop.pid);
    const finish = await Promise.all(
      Array.from({ length: uploads }, () => openUpload({ url: shop.url, token: shop.adminToken }, target)),
    );
    const open = await mebibytes(shop.pid);
    const statuses = [];
    // The database connection pool would reject more concurrent requests.
    for (let next = 0; next < uploads; next += 10) {
      statuses.push(...(await Promise.all(finish.slice(next, next + 10).map((end) => end()))));
    }
    const peak = await mebibytes(shop.pid, 'VmHWM');
    const stored = statuses.filter((status) => status === 201).length;
    const title = `${target.service}, ${uploads} uploads of 5 MiB at once`;
    return [
      figure(`${title}: lost`, uploads - stored, `of ${uploads}`, { atMost: 0 }),
      figure(`${title}: memory before`, idle, 'MiB'),
      figure(`${title}: memory with all of them open`, open, 'MiB'),
      figure(`${title}: peak memory`, peak, 'MiB', { atMost: AT_MOST_MIB }),
    ];
  } finally {
    await shop.stop();
  }
}

export async function run([uploads = '100']) {
  const figures = [];
  for (const target of TARGETS) figures.push(...(await measure(target, Number(uploads))));
  return { figures };
}
