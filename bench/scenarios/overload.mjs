/**
 * What a service does when it gets more requests than it can serve. For each workload: the peak (a closed loop), then an open loop at half
 * of the peak, at 1,200 requests per second, at five times the peak, and at half of it again. Successes are a share of the peak. Refusals are
 * 429 and 503. It has recovered when p99 is back at what it was. `npm run bench -- overload [SECONDS] [PART OF A WORKLOAD'S NAME]`
 */
import { figure, markdownTable } from '../support/figures.mjs';
import { cpuMs } from '../support/load.mjs';
import { Generator, quantile } from '../support/open-loop.mjs';
import { startService } from '../support/shop.mjs';

const CLIENTS = 50;
const ADMIN = 1;
const CONNECTIONS = 1000;
const TIMES = 5;
const GOODPUT = 0.7;
const REFUSED_MS = 200;
const RECOVERY_SECONDS = 10;

const json = { 'content-type': 'application/json' };

async function checkout(products) {
  const shop = await startService('transaction');
  await shop.sql('INSERT INTO addresses (user_id, address) VALUES (?, ?)', [ADMIN, 'Main Street 1']);
  const rows = Array.from({ length: products }, (_, index) => [1, `Mug ${index}`, '', 12.5, 1_000_000]);
  await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [rows]);
  const headers = { ...json, authorization: `Bearer ${shop.adminToken}` };
  const requests = rows.map((_, index) => ({
    method: 'POST',
    path: '/api/v1/transactions',
    headers,
    body: JSON.stringify({ address_id: 1, items: [{ product_id: index + 1, quantity: 1 }] }),
  }));
  return { shop, requests };
}

/** By the number of different products. */
const workloads = { 'checkout, one hot product': 1, 'checkout, 40 products': 40 };

export async function run([seconds = '6', only = '']) {
  const figures = [];
  const rows = [];
  for (const [name, products] of Object.entries(workloads)) {
    if (name.includes(only)) await measure(name, await checkout(products), Number(seconds), figures, rows);
  }
  if ('logins'.includes(only)) figures.push(...(await measureLogins(Number(seconds))));
  const head = ['', 'offered/s', 'succeeded/s', 'p99, ms', 'refused/s', 'p99, ms', 'other', 'CPU of the service, ms/s'];
  return { figures, details: rows.length === 0 ? '' : markdownTable(head, rows) };
}

const isGood = ({ status }) => status >= 200 && status < 300;
const isRefused = ({ status }) => status === 429 || status === 503;
const p99 = (results) =>
  quantile(
    results.map(({ ms }) => ms),
    0.99,
  );
/** Successes that arrived while the load lasted. */
const perSecond = ({ results, seconds }) =>
  results.filter((one) => isGood(one) && one.at + one.ms / 1000 <= seconds).length / seconds;

async function measure(name, { shop, requests }, seconds, figures, rows) {
  const generator = new Generator(shop.url);
  try {
    const prepared = requests.map((request) => generator.prepare(request));
    const next = (n) => prepared[n % prepared.length];
    await generator.connect(CONNECTIONS);
    await generator.closedLoop(next, CLIENTS, 2);
    const closed = await generator.closedLoop(next, CLIENTS, seconds / 2);
    const peak = perSecond(closed);
    rows.push(rowOf(`${name}: peak`, closed));
    const before = await generator.openLoop(next, peak / 2, seconds / 2);
    for (const [title, offered] of Object.entries({
      '1,200/s': 1200,
      [`${TIMES} times the peak`]: peak * TIMES,
    })) {
      const cpu = await cpuMs(shop.pid);
      const during = await generator.openLoop(next, offered, seconds);
      rows.push(rowOf(`${name}: ${title}`, during, (await cpuMs(shop.pid)) - cpu));
      const refusedMs = p99(during.results.filter(isRefused));
      figures.push(
        figure(`${name}, ${title} offered: successes`, perSecond(during) / peak, 'share', { atLeast: GOODPUT }),
        figure(`${name}, ${title} offered: p99 of refusals`, refusedMs || 0, 'ms', { atMost: REFUSED_MS }),
      );
    }
    const recovery = await recoverySeconds(generator, next, peak / 2, p99(before.results));
    figures.push(figure(`${name}: recovered after`, recovery, 's', { atMost: RECOVERY_SECONDS }));
  } finally {
    generator.close();
    await shop.stop();
  }
}

function rowOf(title, run, cpu = undefined) {
  const { results, seconds } = run;
  const [good, refused] = [results.filter(isGood), results.filter(isRefused)];
  const others = results.length - good.length - refused.length;
  const perSecondOf = (list) => list.length / seconds;
  return [
    title,
    ...[perSecondOf(results), perSecond(run), p99(good), perSecondOf(refused), p99(refused) || '', others],
    cpu === undefined ? '' : cpu / seconds,
  ];
}

/** How long after the load has dropped p99 of a second is again what it was before. */
async function recoverySeconds(generator, next, rate, normalMs) {
  const { results } = await generator.openLoop(next, rate, RECOVERY_SECONDS + 2);
  const windows = Array.from({ length: (RECOVERY_SECONDS + 2) * 2 }, (_, n) =>
    results.filter(({ at }) => at >= n / 2 && at < (n + 1) / 2),
  );
  const isNormal = (window) => window.every(isGood) && p99(window) <= Math.max(normalMs * 1.5, normalMs + 10);
  const first = windows.findIndex(isNormal);
  return first < 0 ? Number.POSITIVE_INFINITY : first / 2;
}

/** Logins at five times what the CPU can check, beside reads of the same process and of another one. */
async function measureLogins(seconds) {
  const auth = await startService('auth');
  const product = await startService('product', {}, auth.database);
  const generators = [auth, auth, product].map(({ url }) => new Generator(url));
  const [logins, categories, products] = generators;
  try {
    const body = JSON.stringify({ email: 'admin@example.com', password: 'admin123' });
    const login = logins.prepare({ method: 'POST', path: '/api/v1/auth/login', headers: json, body });
    const list = categories.prepare({ path: '/api/v1/categories' });
    const page = products.prepare({ path: '/api/v1/catalog/products' });
    const peak = perSecond(await logins.closedLoop(() => login, 8, seconds / 2));
    const read = () => [categories.openLoop(() => list, 100, seconds), products.openLoop(() => page, 100, seconds)];
    const before = await Promise.all(read());
    const [flood, ...beside] = await Promise.all([logins.openLoop(() => login, peak * TIMES, seconds), ...read()]);
    const figures = [
      figure(`logins, ${TIMES} times the peak offered: successes`, perSecond(flood) / peak, 'share', {
        atLeast: GOODPUT,
      }),
      figure(
        `logins, ${TIMES} times the peak offered: p99 of refusals`,
        p99(flood.results.filter(isRefused)) || 0,
        'ms',
        {
          atMost: REFUSED_MS,
        },
      ),
    ];
    for (const [index, name] of ['categories, same process', 'catalog, another process'].entries()) {
      const [quiet, busy] = [before[index], beside[index]].map(({ results }) => p99(results));
      const failed = beside[index].results.filter((one) => !isGood(one)).length;
      figures.push(
        figure(`${name}: p99 beside nothing`, quiet, 'ms'),
        figure(`${name}: p99 beside the logins`, busy, 'ms'),
        figure(`${name}: failed beside the logins`, failed, 'requests', { atMost: 0 }),
      );
    }
    return figures;
  } finally {
    for (const generator of generators) generator.close();
    await product.stop();
    await auth.stop();
  }
}
