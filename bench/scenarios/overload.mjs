/**
 * What a service does when it gets five times the requests that it can serve. For each workload: the peak (a closed loop),
 * then an open loop at half of the peak, at five times the peak, and at half of it again. Prints the goodput as a share of the peak, the
 * time of refusals (429 and 503) and of successes, and the time until p99 is back at what it was.
 * Fails if checkouts reach less than 70 % of the peak, if p99 of their refusals exceeds 200 ms, or if they need more than 10 s to recover.
 */
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

async function catalog() {
  const shop = await startService('product');
  const rows = Array.from({ length: 10 }, (_, index) => [1, `Mug ${index}`, 'A mug. '.repeat(30), 12.5, 100]);
  await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [rows]);
  return { shop, requests: [{ path: '/api/v1/catalog/products' }] };
}

const workloads = {
  'checkout, one hot product': { start: () => checkout(1), required: true },
  'checkout, 40 products': { start: () => checkout(40), required: true },
  'catalog, cached': { start: catalog, required: false },
};

export async function run([seconds = '6', only = '']) {
  let ok = true;
  for (const [name, { start, required }] of Object.entries(workloads)) {
    if (!name.includes(only)) continue;
    const passed = await measure(name, await start(), Number(seconds));
    ok &&= passed || !required;
  }
  if ('logins'.includes(only)) await measureLogins(Number(seconds));
  return ok ? 0 : 1;
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

async function measure(name, { shop, requests }, seconds) {
  const generator = new Generator(shop.url);
  try {
    const prepared = requests.map((request) => generator.prepare(request));
    const next = (n) => prepared[n % prepared.length];
    await generator.connect(CONNECTIONS);
    await generator.closedLoop(next, CLIENTS, 2);
    const peak = perSecond(await generator.closedLoop(next, CLIENTS, seconds / 2));
    const before = await generator.openLoop(next, peak / 2, seconds / 2);
    const cpu = [await cpuMs(shop.pid), process.cpuUsage()];
    const during = await generator.openLoop(next, peak * TIMES, seconds);
    const used = process.cpuUsage(cpu[1]);
    const [good, refused] = [during.results.filter(isGood), during.results.filter(isRefused)];
    const rest = during.results.filter((one) => !isGood(one) && !isRefused(one));
    const share = perSecond(during) / peak;
    console.log(
      `${name}: peak ${peak.toFixed(0)}/s; ${during.results.length / seconds} offered, ` +
        `${perSecond(during).toFixed(0)}/s succeeded: ${(share * 100).toFixed(0)} % of the peak`,
    );
    console.log(
      `  p99 of successes ${p99(good).toFixed(0)} ms, of ${refused.length} refusals ${p99(refused).toFixed(0)} ms` +
        ` (median ${quantile(
          refused.map(({ ms }) => ms),
          0.5,
        ).toFixed(0)} ms); ${rest.length} other: ${[...new Set(rest.map(({ status }) => status))]}`,
    );
    console.log(
      `  CPU: service ${((await cpuMs(shop.pid)) - cpu[0]).toFixed(0)} ms, generator ${((used.user + used.system) / 1000).toFixed(0)} ms in ${seconds} s;` +
        ` it was at most ${during.lateMs.toFixed(0)} ms late`,
    );
    const recovery = await recoverySeconds(generator, next, peak / 2, p99(before.results));
    return share >= GOODPUT && !(p99(refused) > REFUSED_MS) && recovery <= RECOVERY_SECONDS;
  } finally {
    generator.close();
    await shop.stop();
  }
}

/** How long after the load has dropped p99 of a second is again what it was before. */
async function recoverySeconds(generator, next, rate, normalMs) {
  const { results } = await generator.openLoop(next, rate, RECOVERY_SECONDS + 2);
  const windows = Array.from({ length: (RECOVERY_SECONDS + 2) * 2 }, (_, n) =>
    results.filter(({ at }) => at >= n / 2 && at < (n + 1) / 2),
  );
  const isNormal = (window) => window.every(isGood) && p99(window) <= Math.max(normalMs * 1.5, normalMs + 10);
  const first = windows.findIndex(isNormal);
  const seconds = first < 0 ? Number.POSITIVE_INFINITY : first / 2;
  console.log(`  p99 before ${normalMs.toFixed(0)} ms, again after ${seconds} s`);
  return seconds;
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
    const refused = flood.results.filter(isRefused);
    console.log(
      `logins: peak ${peak.toFixed(0)}/s, at ${TIMES} times that ${perSecond(flood).toFixed(0)}/s: ${((perSecond(flood) / peak) * 100).toFixed(0)} % of the peak` +
        `; p99 of ${refused.length} refusals ${p99(refused).toFixed(0)} ms`,
    );
    for (const [index, name] of ['categories, same process', 'catalog, another process'].entries()) {
      const [quiet, busy] = [before[index], beside[index]].map(({ results }) => p99(results));
      const failed = beside[index].results.filter((one) => !isGood(one)).length;
      console.log(
        `  ${name}: p99 ${quiet.toFixed(1)} ms alone, ${busy.toFixed(1)} ms beside the logins, ${failed} failed`,
      );
    }
  } finally {
    for (const generator of generators) generator.close();
    await product.stop();
    await auth.stop();
  }
}
