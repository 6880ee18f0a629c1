/**
 * How much code one request runs through: our files, functions and calls for a checkout, a list from the cache and a list
 * from the database, and how many of these functions have no name in a stack trace. It measures the code, not its speed.
 */
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startService } from '../support/shop.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const recorder = fileURLToPath(new URL('../support/call-recorder.cjs', import.meta.url));

export async function run(options) {
  const verbose = options.includes('verbose');
  const dir = await mkdtemp(path.join(tmpdir(), 'shop-call-path-'));
  const settings = { NODE_OPTIONS: `--require ${recorder}` };
  const product = await startService('product', settings);
  const transaction = await startService('transaction', settings);
  try {
    await transaction.sql("INSERT INTO addresses (user_id, address) VALUES (1, 'Main Street 1')");
    await transaction.sql(
      "INSERT INTO products (store_id, name, description, price, stock) VALUES (1, 'Mug', '', 1, 9)",
    );
    const checkout = {
      url: `${transaction.url}/api/v1/transactions`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'call-path' },
      body: JSON.stringify({ address_id: 1, items: [{ product_id: 1, quantity: 1 }] }),
    };
    const list = { url: `${product.url}/api/v1/products` };
    await fetch(list.url, { headers: { authorization: `Bearer ${product.adminToken}` } });
    const rows = [
      ['checkout', await record(checkout, transaction.adminToken, dir)],
      ['product list, cache hit', await record(list, product.adminToken, dir)],
      ['product list, cache miss', await record({ url: `${list.url}?limit=7` }, product.adminToken, dir)],
    ];
    console.log('| request | files of the service | files of core | functions | nameless | calls | nameless calls |');
    console.log('| --- | --- | --- | --- | --- | --- | --- |');
    for (const [name, functions] of rows) console.log(row(name, functions));
    if (verbose) for (const [name, functions] of rows) print(name, functions);
  } finally {
    await Promise.all([product.stop(), transaction.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Sends the request and waits for the recorder's output, which is written after the response. */
async function record({ url, ...init }, token, dir) {
  const target = path.join(dir, `${Math.random()}.json`);
  const headers = { ...init.headers, authorization: `Bearer ${token}`, 'x-record-calls': target };
  const response = await fetch(url, { ...init, headers });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  await response.text();
  while (!(await written(target))) await sleep(20);
  return JSON.parse(await readFile(target, 'utf8'));
}

const written = (file) =>
  access(file).then(
    () => readFile(file, 'utf8').then((text) => text.endsWith(']')),
    () => false,
  );

function row(name, functions) {
  const files = [...new Set(functions.map(({ file }) => path.relative(root, file)))];
  const count = (list) => list.reduce((sum, { calls }) => sum + calls, 0);
  const nameless = functions.filter((called) => called.name === '');
  const cells = [
    files.filter((file) => file.startsWith('services/')).length,
    files.filter((file) => file.startsWith('packages/')).length,
    functions.length,
    nameless.length,
    count(functions),
    count(nameless),
  ];
  return `| ${[name, ...cells].join(' | ')} |`;
}

function print(name, functions) {
  console.log(`\n${name}`);
  for (const { file, name: called, calls } of functions) {
    console.log(`  ${path.relative(root, file)}  ${called || '(nameless)'}  ${calls}`);
  }
}
